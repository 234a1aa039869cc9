/*
 * The protocol of common/lock*, a step a system call, with a kill between any
 * two steps. What is local to a process or done with text that only the owner
 * of the guard may change is one step with the call it follows.
 *
 *	CAPACITY	units there are
 *	WANTS		units that process 0, 1, 2 want, as an array's initialiser
 *	ROUNDS		how often each of them acquires
 *	KILLS		how many may be killed, at any moment
 *
 * Asserted: no unit is taken that somebody owns; what the living hold is never
 * more than there is; nobody passes a living waiter that stands ahead. An end in
 * which somebody still sleeps is an invalid end state: the timer's ticks are left
 * out, so nothing but the wake-ups of the protocol ends a sleep. Everybody
 * acquires a limited number of times, so an endless run is a livelock.
 */
#ifndef CAPACITY
#define CAPACITY 1
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef KILLS
#define KILLS 2
#endif
#define N 3
#define TICKETS (N * ROUNDS)
#define NONE 255

mtype = { unused, waits, holds };

/* The kernel's: who owns what. */
byte guard = NONE;
bool wait_byte[TICKETS];
bool hold_byte[TICKETS];
byte slot[CAPACITY] = NONE;

/* The text: a line a ticket, the order in which they came, and their priority. */
mtype row[TICKETS] = unused;
byte came[TICKETS];
byte next_place;
bool urgent[TICKETS];

byte wants[N];
bool dead[N];
byte kills;

#define OWNER(t) ((t) / ROUNDS)
#define BEFORE(a, b) (urgent[a] != urgent[b] -> urgent[a] : came[a] < came[b])

/* The living waiter next ahead of ticket t, or NONE; lines of the dead are dropped on the way. */
inline find_ahead(t, ahead)
{
	do
	:: d_step {
		ahead = NONE;
		for (k : 0 .. TICKETS - 1) {
			if
			:: row[k] == waits && k != t && BEFORE(k, t) &&
				(ahead == NONE || BEFORE(ahead, k)) -> ahead = k
			:: else
			fi
		}
		k = 0
	   }
	   if
	   :: ahead == NONE -> break
	   :: ahead != NONE && wait_byte[ahead] -> break
	   :: else -> row[ahead] = unused
	   fi
	od
}

/* How many units are free, asked slot by slot. */
inline count_free(free)
{
	free = 0;
	s = 0;
	do
	:: s < CAPACITY && slot[s] == NONE -> d_step { free++; s++ }
	:: s < CAPACITY && slot[s] != NONE -> s++
	:: s == CAPACITY -> s = 0; break
	od
}

/* As many of the lowest free slots as are wanted; no other may have got one meanwhile. */
inline own_slots(t, left)
{
	s = 0;
	do
	:: left > 0 && slot[s] == NONE -> d_step { slot[s] = t; s++; left-- }
	:: left > 0 && slot[s] != NONE -> d_step { s++; assert(s < CAPACITY) }
	:: left == 0 -> s = 0; break
	od
}

inline check_order(t)
{
	d_step {
		for (k : 0 .. TICKETS - 1) {
			assert(!(row[k] == waits && wait_byte[k] && k != t && BEFORE(k, t)))
		}
		k = 0
	}
}

inline check_units()
{
	d_step {
		free = 0;
		for (k : 0 .. TICKETS - 1) {
			if
			:: hold_byte[k] -> free = free + wants[OWNER(k)]
			:: else
			fi
		}
		assert(free <= CAPACITY);
		free = 0;
		k = 0
	}
}

/* A holder without whose going the units cannot be had, or NONE. */
inline find_blocker(t, blocker)
{
	blocker = NONE;
	s = 0;
	do
	:: s == TICKETS -> s = 0; break
	:: s < TICKETS && (row[s] != holds || wants[OWNER(t)] <= CAPACITY - wants[OWNER(s)]) -> s++
	:: s < TICKETS && row[s] == holds && wants[OWNER(t)] > CAPACITY - wants[OWNER(s)] ->
		if
		:: hold_byte[s] -> d_step { blocker = s; s = 0 }; break
		:: else -> d_step { row[s] = unused; s++ }
		fi
	od
}

#if CAPACITY == 1
#define ENOUGH_FREE(t) (slot[0] == NONE)
#elif CAPACITY == 2
#define ENOUGH_FREE(t) ((slot[0] == NONE) + (slot[1] == NONE) >= wants[OWNER(t)])
#else
#define ENOUGH_FREE(t) \
	((slot[0] == NONE) + (slot[1] == NONE) + (slot[2] == NONE) >= wants[OWNER(t)])
#endif

proctype process(byte self)
{
	byte t, k, s, ahead = NONE, blocker = NONE, free, left, round;

	{
		do
		:: round == ROUNDS -> break
		:: round < ROUNDS ->
			t = self * ROUNDS + round;
			if
			:: self == 2 -> urgent[t] = true
			:: urgent[t] = false
			fi;
look:
			atomic {
				guard == NONE -> guard = self;
				if
				:: row[t] == unused -> came[t] = next_place
				:: else
				fi
			};
			find_ahead(t, ahead);
			if
			:: ahead == NONE ->
				count_free(free);
				atomic {
					left = (free >= wants[self] -> wants[self] : 0);
					free = 0
				}
			:: else
			fi;
			if
			:: left > 0 ->
				check_order(t);
				own_slots(t, left);
				hold_byte[t] = true;
				check_units();
				d_step {
					next_place = (row[t] == unused -> next_place + 1 : next_place);
					row[t] = holds
				};
				wait_byte[t] = false;
				guard = NONE;
				/* The hold; its end, however it comes, frees all at once. */
				d_step {
					hold_byte[t] = false;
					for (k : 0 .. CAPACITY - 1) {
						if
						:: slot[k] == t -> slot[k] = NONE
						:: else
						fi
					}
					k = 0;
					came[t] = 0
				}
			:: else ->
				if
				:: row[t] == unused ->
					wait_byte[t] = true;
					d_step {
						next_place++;
						row[t] = waits
					}
				:: else
				fi;
				if
				:: ahead == NONE -> find_blocker(t, blocker)
				:: else
				fi;
				guard = NONE;
				if
				:: ahead != NONE ->
					atomic { !wait_byte[ahead]; ahead = NONE }
				:: ahead == NONE && blocker != NONE ->
					atomic { !hold_byte[blocker]; blocker = NONE }
				:: ahead == NONE && blocker == NONE -> ENOUGH_FREE(t)
				fi;
				goto look
			fi;
			round++
		od
	} unless { dead[self] }
}

/* SIGKILL: whatever the process was at, the kernel frees all that was its at once. */
inline kill_process(victim)
{
	d_step {
		!dead[victim] && kills < KILLS;
		dead[victim] = true;
		kills++;
		if
		:: guard == victim -> guard = NONE
		:: else
		fi;
		for (k : 0 .. TICKETS - 1) {
			if
			:: OWNER(k) == victim ->
				wait_byte[k] = false;
				hold_byte[k] = false
			:: else
			fi
		}
		for (k : 0 .. CAPACITY - 1) {
			if
			:: slot[k] != NONE && OWNER(slot[k]) == victim -> slot[k] = NONE
			:: else
			fi
		}
		k = 0
	}
}

proctype killer()
{
	byte k;

end_killer:
	do
	:: kill_process(0)
	:: kill_process(1)
	:: kill_process(2)
	:: break
	od
}

init
{
	byte k;

	d_step {
		for (k : 0 .. CAPACITY - 1) {
			slot[k] = NONE
		}
		wants[0] = WANTS_0;
		wants[1] = WANTS_1;
		wants[2] = WANTS_2
	}
	atomic {
		run process(0);
		run process(1);
		run process(2);
		run killer()
	}
}
