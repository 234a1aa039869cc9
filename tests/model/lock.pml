/*
 * The protocol of common/lock*, a step a system call; before each step the process
 * may be killed instead. What is done with text that only the owner of the guard
 * may change is one step with the call it follows.
 *
 *	CAPACITY		units there are
 *	WANTS_0 ... WANTS_3	units that each process wants; 0: there is no such process
 *	ROUNDS			how often each of them acquires
 *	KILLS			how many may be killed, at any moment
 *
 * Asserted: no unit is taken that somebody owns; what the living hold is never
 * more than there is; nobody passes a living waiter that stands ahead. An end in
 * which somebody still sleeps is an invalid end state: the timer's ticks are left
 * out, so nothing but the wake-ups of the protocol ends a sleep. Everybody
 * acquires a limited number of times, so an endless run is a livelock.
 *
 * What keeps the states few, and why nothing is lost by it:
 *
 * - Whoever gives up a wait, at its deadline or as a victim, closes its description.
 *   To the others that is a kill.
 * - Units are alike, so they are counted, not told apart.
 * - Looking for the living waiter ahead takes a call for each that turns out to be
 *   dead. The dead stay dead, so at the last of the calls all of the answers are true
 *   at once: one step. The same goes for the holder that is in the way, and for the
 *   free units: only the owner of the guard takes any, so there are but more of them.
 * - What a process remembers is forgotten when it is of no more use, above all by the
 *   dead. Lines tell the order in which they came, not when.
 * - How many are killed is drawn at the start, up to KILLS, so that no end is hidden
 *   behind a kill that might still come.
 */
#ifndef CAPACITY
#define CAPACITY 1
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef KILLS
#define KILLS 3
#endif
#ifndef WANTS_3
#define WANTS_3 0
#endif
#define TICKETS (4 * ROUNDS)
#define NONE 255

mtype = { unused, waits, holds };

/* The kernel's: who owns what. */
byte guard = NONE;
bool wait_byte[TICKETS];
bool hold_byte[TICKETS];
byte units[TICKETS];
byte free = CAPACITY;

/* The text: a line a ticket; the place among those that wait, from 1 on, and the priority. */
mtype row[TICKETS] = unused;
byte place[TICKETS];
bool urgent[TICKETS];

/* What is true of a waiter, whatever bytes and text say; only assertions ask for it. */
bool queues[TICKETS];

byte wants[4];
byte kills; /* to come */

hidden byte k, held;

/* The ticket of this process, who has one a round. */
#define T (self * ROUNDS + round)
#define OWNER(t) ((t) / ROUNDS)

/* One who is not in the queue yet comes last among its equals. */
#define PLACE(t) (place[t] -> place[t] : NONE)
#define BEFORE(a, b) (urgent[a] != urgent[b] -> urgent[a] : PLACE(a) < PLACE(b))

/* A step, or a kill in its stead. */
#define STEP(call) if :: call :: die() fi

/* SIGKILL: whatever the process was at, the kernel frees all that was its at once; the text stays. */
inline die()
{
	d_step {
		kills > 0 -> kills--;
		guard = (guard == self -> NONE : guard);
		wait_byte[T] = false;
		hold_byte[T] = false;
		free = free + units[T];
		units[T] = 0;
		queues[T] = false;
		urgent[T] = urgent[T] && row[T] == waits
	};
	goto gone
}

/* The line is one of the queue no more, if it was; those behind it move up. */
inline leave_queue(t)
{
	for (k : 0 .. TICKETS - 1) {
		place[k] = place[k] - (place[t] && place[k] > place[t])
	}
	place[t] = 0;
	urgent[t] = false
}

inline join_queue()
{
	d_step {
		place[T] = 1;
		for (k : 0 .. TICKETS - 1) {
			place[T] = place[T] + (k != T && place[k] > 0)
		};
		row[T] = waits;
		queues[T] = true
	}
}

/* The guard; and at the first look, whether this is one who goes before others. */
inline own_guard()
{
	atomic {
		guard == NONE -> guard = self;
		if
		:: row[T] == unused -> urgent[T] = true
		:: row[T] == unused -> urgent[T] = false
		:: row[T] != unused -> skip
		fi
	}
}

/* The living waiter next ahead, or NONE; lines of the dead are dropped on the way. */
inline find_ahead()
{
	d_step {
		do
		:: ahead = NONE;
			for (k : 0 .. TICKETS - 1) {
				if
				:: row[k] == waits && k != T && BEFORE(k, T) &&
					(ahead == NONE || BEFORE(ahead, k)) -> ahead = k
				:: else
				fi
			}
			if
			:: ahead == NONE || wait_byte[ahead] -> break
			:: else ->
				assert(!queues[ahead]);
				row[ahead] = unused;
				leave_queue(ahead)
			fi
		od
	}
}

/* A holder without whose going the units cannot be had, or NONE; lines of the dead are dropped. */
inline find_blocker()
{
	d_step {
		for (k : 0 .. TICKETS - 1) {
			if
			:: blocker == NONE && row[k] == holds &&
				wants[self] > CAPACITY - wants[OWNER(k)] ->
				if
				:: hold_byte[k] -> blocker = k
				:: else -> row[k] = unused
				fi
			:: else
			fi
		}
	}
}

inline own_unit()
{
	d_step {
		assert(free > 0);
		for (k : 0 .. TICKETS - 1) {
			assert(!(queues[k] && k != T && BEFORE(k, T)))
		}
		free--;
		units[T]++;
		left--
	}
}

inline own_hold()
{
	d_step {
		hold_byte[T] = true;
		held = 0;
		for (k : 0 .. TICKETS - 1) {
			held = held + (hold_byte[k] -> wants[OWNER(k)] : 0)
		}
		assert(held <= CAPACITY)
	}
}

/* The end of the hold, however it comes, frees all at once; the line stays. */
inline release()
{
	d_step {
		hold_byte[T] = false;
		free = free + units[T];
		units[T] = 0
	}
}

proctype process(byte self)
{
	byte round, ahead = NONE, blocker = NONE, left;

look:
	STEP(own_guard());
	STEP(find_ahead());
	if
	:: ahead == NONE -> STEP(left = (free >= wants[self] -> wants[self] : 0))
	:: ahead != NONE
	fi;
	if
	:: left > 0 ->
		do
		:: left > 0 -> STEP(own_unit())
		:: left == 0 -> break
		od;
		STEP(own_hold());
		STEP(d_step { leave_queue(T); row[T] = holds; queues[T] = false });
		STEP(guard = NONE);
		STEP(wait_byte[T] = false);
		STEP(release());
		round++;
		if
		:: round < ROUNDS -> goto look
		:: round == ROUNDS
		fi
	:: left == 0 ->
		if
		:: row[T] == unused ->
			STEP(wait_byte[T] = true);
			STEP(join_queue())
		:: row[T] != unused
		fi;
		if
		:: ahead == NONE -> STEP(find_blocker())
		:: ahead != NONE
		fi;
		STEP(guard = NONE);
		if
		:: ahead != NONE -> STEP(atomic { !wait_byte[ahead] -> ahead = NONE })
		:: blocker != NONE -> STEP(atomic { !hold_byte[blocker] -> blocker = NONE })
		:: ahead == NONE && blocker == NONE -> STEP(free >= wants[self])
		fi;
		goto look
	fi;
gone:
	atomic {
		round = 0;
		ahead = NONE;
		blocker = NONE;
		left = 0
	}
}

init
{
	atomic {
		wants[0] = WANTS_0;
		wants[1] = WANTS_1;
		wants[2] = WANTS_2;
		wants[3] = WANTS_3;
		select(kills : 0 .. KILLS);
		run process(0);
		run process(1);
		run process(2);
		if
		:: WANTS_3 > 0 -> run process(3)
		:: else
		fi
	}
}
