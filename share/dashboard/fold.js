// The state of a run at a moment is the fold of its events up to that one, over the tasks of its plan.
// What is live is the same fold over all that have come.

export const over = new Set(['succeeded', 'failed', 'errored', 'timed_out', 'upstream_failed', 'skipped', 'cancelled',
	'compensated', 'compensation_failed']);
export const bad = new Set(['failed', 'errored', 'timed_out', 'compensation_failed']);

const blank = task => ({
	id: task.id, title: task.title ?? '', needs: needs(task), criteria: (task.criteria ?? []).map(text),
	text: task.description ?? '', state: 'pending', attempt: 0, spans: [], reason: '', activity: '', cost: 0,
	met: new Set(), checks: [], sessions: new Map(), commit: '',
});

const text = value => typeof value === 'string' ? value : value.text ?? value.title ?? value.run ?? JSON.stringify(value);

// A need is a task's id, or an object that names it.
const needs = task => (task.needs ?? []).map(need => typeof need === 'string' ? need : need.task ?? need.id);

const taskOf = (run, event) => {
	if (event.data?.task && run.tasks.has(event.data.task)) return run.tasks.get(event.data.task);
	for (const word of (event.subject ?? '').split('/')) if (run.tasks.has(word)) return run.tasks.get(word);
};

const close = (task, at, state) => {
	const last = task.spans.at(-1);
	if (last && !last.end) Object.assign(last, {end: at, state});
};

// The running sums of a session; its task and the run take the difference.
const pay = (run, event, task) => {
	const {cost_usd: cost, input, output} = event.data;
	if (!event.sessionid) return;
	if (typeof input === 'number' && typeof output === 'number') {
		run.tokens += input + output - (run.counted.get(event.sessionid) ?? 0);
		run.counted.set(event.sessionid, input + output);
	}
	if (typeof cost !== 'number') return;
	const before = run.costs.get(event.sessionid) ?? 0;
	run.costs.set(event.sessionid, cost);
	run.cost += cost - before;
	if (task) task.cost += cost - before;
};

const rules = {
	'run.started': (run, event, _, at) => { run.started ??= at; run.ended = null; run.state = 'running'; },
	'run.ended': (run, event, _, at) => { run.ended = at; run.state = event.data.state; },
	'task.started': (run, event, task, at) => {
		close(task, at, 'retrying');
		task.spans.push({start: at, end: null, state: 'running', attempt: event.data.attempt});
		Object.assign(task, {state: 'running', attempt: event.data.attempt ?? 1, reason: '', met: new Set(), checks: []});
	},
	'task.retrying': (run, event, task, at) => {
		close(task, at, 'retrying');
		Object.assign(task, {state: 'retrying', reason: event.data.reason ?? `status ${event.data.status}`, activity: ''});
		run.retries++;
	},
	'task.completed': (run, event, task, at) => {
		const state = event.data.state ?? (event.data.success ? 'succeeded' : 'failed');
		close(task, at, state);
		Object.assign(task, {state, activity: '', reason: event.data.reason ?? (event.data.status ? `status ${event.data.status}` : '')});
		if (state === 'succeeded') task.met = new Set(task.criteria.keys());
	},
	'session.started': (run, event, task) => task.sessions.set(event.sessionid, event.data.agent ?? ''),
	'session.tool': (run, event, task) => { task.activity = event.data.phase === 'finished' ? '' : event.data.name ?? ''; },
	'session.usage': pay,
	'session.stalled': (run, event, task) => { task.activity = 'silent'; },
	'session.needs_human': (run, event, task) => { task.activity = `needs a human: ${event.data.why ?? ''}`; },
	'session.ended': (run, event, task) => {
		pay(run, event, task);
		task.activity = '';
		if (event.sessionid) task.sessions.set(event.sessionid, `${task.sessions.get(event.sessionid) ?? ''} ${event.data.reason ?? ''}`);
	},
	'test.run': (run, event, task) => task.checks.push(event.data),
	'criterion.completed': (run, event, task) => task.met.add(Number(event.data.criterion ?? task.met.size)),
	'commit.created': (run, event, task) => { task.commit = event.data.commit ?? ''; },
	'story.completed': (run, event, task) => { task.commit ||= event.data.commit ?? ''; },
};
const ofRun = new Set(['run.started', 'run.ended']);

export const begin = plan => ({tasks: new Map((plan.tasks ?? []).map(task => [task.id, blank(task)])), costs: new Map(), cost: 0,
	tokens: 0, counted: new Map(), retries: 0, started: null, ended: null, state: 'waiting', at: null});

export function step(run, event) {
	const at = Date.parse(event.time), task = taskOf(run, event);
	run.at = at;
	if (rules[event.type] && (task || ofRun.has(event.type))) rules[event.type](run, {data: {}, ...event}, task, at);
	return run;
}

export const fold = (plan, events, count) => events.slice(0, count).reduce(step, begin(plan));

// The chain of tasks that the end waited for: from what ended last back over the need that ended last.
export function criticalPath(run) {
	const end = task => task.spans.at(-1)?.end ?? (task.spans.length ? Infinity : -1);
	const later = (a, b) => !a || end(b) > end(a) ? b : a;
	const path = [];
	for (let task = [...run.tasks.values()].reduce(later, null); task?.spans.length && !path.includes(task.id);) {
		path.unshift(task.id);
		task = task.needs.map(id => run.tasks.get(id)).filter(Boolean).reduce(later, null);
	}
	return path;
}

// Why a task does not run yet, in words.
export function whyWaiting(run, task) {
	if (task.state === 'retrying') return `Waits for its next attempt: ${task.reason}.`;
	if (over.has(task.state) || task.state === 'running') return task.reason ? `Reason: ${task.reason}.` : '';
	const open = task.needs.filter(id => run.tasks.get(id)?.state !== 'succeeded');
	return open.length ? `Waits for ${open.map(id => `${id} (${run.tasks.get(id)?.state ?? 'unknown'})`).join(', ')}.`
		: 'Everything it needs is done; it waits for a free place.';
}
