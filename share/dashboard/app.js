// The page: what it shows is the fold of the journal's events (fold.js), live or at a moment in the past.

import {begin, step, fold, criticalPath, whyWaiting, over, bad} from './fold.js';
import {graph, timeline, needsTable, spansTable, signs} from './draw.js';
import {Feed} from './feed.js';

const $ = id => document.getElementById(id);
const EVENTS_SHOWN = 60, FRAME = 100;

// until: how many events the view folds, or null for all of them, live. live: the fold that goes along with them.
const state = {runs: [], gates: [], id: null, plan: null, events: [], loading: null, until: null, live: null, folded: 0,
	story: null, log: null, going: false};

// ---- small things ----

function node(name, attributes = {}, ...children) {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
	made.append(...children);
	return made;
}

const get = async path => {
	const answer = await fetch(path);
	if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
	return answer;
};
const json = async path => (await get(path)).json();

function duration(ms) {
	const s = Math.floor(ms / 1000), m = Math.floor(s / 60), h = Math.floor(m / 60);
	return h ? `${h}h${m % 60}m` : m ? `${m}m${s % 60}s` : `${s}s`;
}

const dollars = value => value ? `$${value.toFixed(2)}` : '';
const clock = ms => new Date(ms).toLocaleTimeString();

function say(text) {
	$('said').textContent = text;
	clearTimeout(say.timer);
	say.timer = setTimeout(() => { $('said').textContent = ''; }, 5000);
}

// Colours and cursor movements of a terminal are left out, as is all else that is not to be seen.
const plain = text => text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)?|\x1b[@-_]?/g, '')
	.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '');

// ---- the run at hand ----

async function events(id) {
	const all = [];
	for (let place = {from: 'start'}; place;) {
		const part = await json(`/history?${new URLSearchParams({run: id, limit: 5000, ...place})}`);
		all.push(...part.events);
		place = part.more;
	}
	return all;
}

async function choose(id) {
	Object.assign(state, {id, plan: null, events: [], until: null, log: null, loading: []});
	try {
		const [run, past] = await Promise.all([json(`/runs/${encodeURIComponent(id)}`), events(id)]);
		if (state.id !== id) return;
		// What came meanwhile may be in the history too.
		const seen = new Set(past.map(event => event.id));
		Object.assign(state, {plan: run.document, events: past.concat(state.loading.filter(event => !seen.has(event.id))), loading: null,
			live: begin(run.document), folded: 0});
	} catch (error) {
		say(`This run cannot be shown: ${error.message}`);
	}
	touch();
}

const reloadRuns = async () => {
	state.runs = (await json('/runs')).runs;
	if (!state.id && state.runs.length) open();
	touch();
};

let reloading = null;
const reloadSoon = () => { reloading ??= setTimeout(() => { reloading = null; reloadRuns().catch(() => {}); }, 300); };

const reloadGates = async () => {
	state.gates = (await json('/gates')).gates.filter(gate => gate?.state === 'pending');
	touch();
};

function onEvent(event) {
	if (event.type.startsWith('gate.')) reloadGates().catch(() => {});
	if (/^(run|task)\./.test(event.type)) reloadSoon();
	if (event.runid === state.id) (state.loading ?? state.events).push(event);
	touch();
}

// #RUN or #RUN/TASK, so that every view has an address.
function open() {
	const [id, task] = decodeURIComponent(location.hash.slice(1)).split('/');
	const wanted = id || state.runs[0]?.id;
	if (wanted && wanted !== state.id) choose(wanted);
	if (task !== state.story) Object.assign(state, {story: task ?? null, log: null});
	touch();
}

// ---- drawing: at most once a frame's time ----

function touch() {
	if (touch.timer) return;
	touch.timer = setTimeout(() => { touch.timer = null; keepFocus(draw); }, FRAME);
}

function drawRuns() {
	$('no-runs').hidden = state.runs.length > 0;
	$('runs').tBodies[0].replaceChildren(...state.runs.map(run => node('tr', {'aria-current': run.id === state.id},
		node('td', {}, node('a', {href: `#${run.id}`}, run.id)), node('td', {class: run.state}, run.state),
		node('td', {}, `${run.counts.succeeded}/${run.counts.all}`),
		...run.tasks.slice(0, 200).map(task => node('td', {class: `cell ${task.state}`, title: `${task.id}: ${task.state}`}, signs[task.state] ?? '·')))));
}

// A question has choices, wants a text, or is to be approved.
function gateButtons(gate) {
	const button = (label, word, text) => {
		const made = node('button', {type: 'button', 'data-key': `${gate.gate} ${label}`}, label);
		made.onclick = () => change(`/gates/${encodeURIComponent(gate.gate)}/${word}`, `${label}: ${gate.question}`, text).catch(error => say(error.message));
		return made;
	};
	if (gate.choices?.length) return gate.choices.map(choice => button(choice, 'answer', () => choice));
	if (gate.text) return [button('Answer', 'answer', () => $('confirm-why').value)];
	return [button('Approve', 'approve'), button('Reject', 'reject')];
}

function drawGates() {
	$('gates-box').hidden = state.gates.length === 0;
	$('gates').replaceChildren(...state.gates.map(gate => node('li', {}, node('strong', {}, gate.subject ?? gate.gate), ` ${gate.question} `,
		...gateButtons(gate).flatMap(button => [button, ' ']))));
}

function spent(task, now) {
	return task.spans.reduce((sum, span) => sum + (span.end ?? now) - span.start, 0);
}

function drawTasks(run, now) {
	$('tasks').tBodies[0].replaceChildren(...[...run.tasks.values()].map(task => node('tr', {class: `${task.state} ${task.id === state.story ? 'chosen' : ''}`},
		node('td', {class: task.state}, `${signs[task.state] ?? '·'} ${task.state}`),
		node('td', {}, node('a', {href: `#${state.id}/${task.id}`}, task.id)),
		node('td', {}, task.title), node('td', {}, task.attempt > 1 ? String(task.attempt) : ''),
		node('td', {}, task.spans.length ? duration(spent(task, now)) : ''), node('td', {}, dollars(task.cost)),
		node('td', {}, task.activity || task.reason))));
}

function drawStory(run, now) {
	const task = run.tasks.get(state.story);
	$('story').hidden = !task;
	if (!task) return;
	$('story-title').textContent = `${task.id} ${task.title}`;
	$('story-text').textContent = task.text;
	$('story-why').textContent = [whyWaiting(run, task), task.commit && `Commit ${task.commit}.`,
		task.spans.length && `${task.spans.length} attempt${task.spans.length > 1 ? 's' : ''}, ${duration(spent(task, now))}.`].filter(Boolean).join(' ');
	$('story-criteria').replaceChildren(...task.criteria.map((text, i) => node('li', {class: task.met.has(i) ? 'succeeded' : ''},
		`${task.met.has(i) ? '✓ met' : '· open'}: ${text}`)));
	$('story-checks').replaceChildren(...task.checks.map(check => node('li', {class: check.success ? 'succeeded' : 'failed'},
		`${check.success ? '✓ passed' : `✗ failed with ${check.status}`}: `, node('code', {}, check.command ?? ''))));
	$('story-sessions').replaceChildren(...[...task.sessions].map(([id, what]) => {
		const button = node('button', {type: 'button', class: 'link', 'data-key': id}, `Log of ${id} ${what}`);
		button.onclick = () => openLog(id);
		return node('p', {}, button);
	}));
	$('log-box').hidden = !state.log;
}

function drawEvents() {
	const shown = state.events.slice(0, state.until ?? undefined).slice(-EVENTS_SHOWN).reverse();
	$('events').replaceChildren(...shown.map(event => node('li', {}, `${clock(event.time)} `, node('strong', {}, event.type),
		` ${event.subject ?? ''} `, node('code', {}, JSON.stringify(event.data ?? {}).slice(0, 160)))));
}

function drawHead(run, now) {
	const tasks = [...run.tasks.values()], done = tasks.filter(task => over.has(task.state)).length;
	const failed = tasks.filter(task => bad.has(task.state)).length;
	$('title').textContent = `${state.plan.name ?? state.id}: ${run.state}`;
	$('facts').textContent = [`${done} of ${tasks.length} tasks over`, failed && `${failed} failed`, run.retries && `${run.retries} ${run.retries === 1 ? 'retry' : 'retries'}`,
		run.started && duration((run.ended ?? now) - run.started), dollars(run.cost),
		run.tokens && `${run.tokens.toLocaleString('en')} tokens`].filter(Boolean).join(' · ');
	$('report').href = `/runs/${encodeURIComponent(state.id)}/report`;
	$('bar').max = Math.max(1, tasks.length);
	$('bar').value = done;
	$('controls').hidden = state.until !== null;
	for (const button of $('controls').children) button.hidden = Boolean(run.ended) !== (button.dataset.ask === 'retry');
	$('controls').hidden ||= Boolean(run.ended) && failed === 0;
	$('time').max = state.events.length;
	$('time').value = state.until ?? state.events.length;
	$('time-text').textContent = state.until === null ? 'now' : new Date(now).toLocaleString();
	$('time').setAttribute('aria-valuetext', $('time-text').textContent);
}

// What is drawn anew keeps the focus: by its place in the page and its address.
function keepFocus(work) {
	const old = document.activeElement, box = old?.closest('nav, section'), key = old?.getAttribute('href') ?? old?.dataset?.key;
	work();
	if (!box || !key || old.isConnected) return;
	[...box.querySelectorAll('a, button')].find(one => (one.getAttribute('href') ?? one.dataset.key) === key)?.focus({preventScroll: true});
}

function live() {
	while (state.folded < state.events.length) step(state.live, state.events[state.folded++]);
	return state.live;
}

function draw() {
	drawRuns();
	drawGates();
	$('run').hidden = !state.plan;
	if (!state.plan) return;
	const run = state.until === null ? live() : fold(state.plan, state.events, state.until);
	const now = (state.until === null ? run.ended : run.at) ?? Date.now(), path = criticalPath(run);
	state.going = run.started && !run.ended && state.until === null;
	drawHead(run, now);
	drawTasks(run, now);
	drawStory(run, now);
	drawEvents();
	const spans = [...run.tasks.values()].some(task => task.spans.length);
	$('graph').replaceChildren(graph(run, state.id, path));
	$('graph-table').replaceChildren(...needsTable(run));
	$('timeline').replaceChildren(spans ? timeline(run, state.id, path, now) : 'Nothing has run yet.');
	$('timeline-table').replaceChildren(...spansTable(run, now, duration));
	$('critical').textContent = path.length > 1 ? `The end waited for: ${path.join(' → ')}.` : '';
}

// ---- logs ----

async function openLog(id) {
	state.log = {id, next: null, text: ''};
	$('log-title').textContent = id;
	$('log').textContent = '';
	await readLog();
	touch();
}

async function readLog() {
	const log = state.log;
	if (!log) return;
	const answer = await get(`/sessions/${encodeURIComponent(log.id)}/log${log.next === null ? '' : `?from=${log.next}`}`).catch(() => null);
	if (!answer || log !== state.log) return;
	log.next = answer.headers.get('X-Next');
	const more = plain(await answer.text());
	if (!more) return;
	$('log').append(...more.split(/(^.*\b(?:error|failed|panic|exception)\b.*$)/im).map((part, i) => i % 2 ? node('mark', {}, part) : part));
	if ($('log-follow').checked) $('log').scrollTop = $('log').scrollHeight;
}

$('log-error').onclick = () => {
	const top = $('log').scrollTop, marks = [...$('log').querySelectorAll('mark')];
	const next = marks.find(mark => mark.offsetTop - $('log').offsetTop > top + 4) ?? marks[0];
	$('log-follow').checked = false;
	if (next) $('log').scrollTop = next.offsetTop - $('log').offsetTop;
};

// ---- metrics: what loop-stat says of the journal, asked for as long as they are looked at ----

const METRICS_EVERY = 5000;
const figure = value => value === undefined ? '–' : Number(value.toPrecision(4)).toLocaleString('en');

function metricsRow(series) {
	const {by, count, min, p50, p95, p99, max} = series;
	return node('tr', {}, node('th', {scope: 'row'}, by.type), ...[count, min, p50, p95, p99, max].map(value => node('td', {}, figure(value))));
}

async function readMetrics() {
	clearTimeout(readMetrics.timer);
	if (!$('metrics-box').open) return;
	const since = $('metrics-since').value;
	const {series} = await json(`/stat?${new URLSearchParams({by: 'type', ...since && {since}})}`);
	if (since !== $('metrics-since').value) return;
	$('metrics').tBodies[0].replaceChildren(...series.sort((a, b) => b.count - a.count).map(metricsRow));
	clearTimeout(readMetrics.timer);
	readMetrics.timer = setTimeout(showMetrics, METRICS_EVERY);
}

const showMetrics = () => readMetrics().catch(error => say(`No metrics: ${error.message}`));
$('metrics-box').ontoggle = $('metrics-since').onchange = showMetrics;

// ---- control ----

// Asks for a confirmation and the token; text gives what else is to be sent, once the dialog is filled in.
async function change(path, question, text) {
	const dialog = $('confirm');
	$('confirm-text').textContent = question;
	$('confirm-why').value = '';
	$('token').value = sessionStorage.getItem('token') ?? '';
	dialog.returnValue = 'no';
	dialog.showModal();
	await new Promise(resolve => dialog.addEventListener('close', resolve, {once: true}));
	if (dialog.returnValue !== 'yes') return;
	sessionStorage.setItem('token', $('token').value);
	const answer = await fetch(path, {method: 'POST',
		headers: {'Content-Type': 'application/json', Authorization: `Bearer ${$('token').value}`},
		body: JSON.stringify({who: 'dashboard', why: $('confirm-why').value, text: text?.()})});
	say(answer.ok ? 'Done.' : `Not done: ${(await answer.text()).trim()}`);
}

const ask = word => change(`/runs/${encodeURIComponent(state.id)}/${word}`, `Shall ${state.id} be asked to ${word}?`);

for (const button of document.querySelectorAll('[data-ask]'))
	button.onclick = () => ask(button.dataset.ask).catch(error => say(error.message));

// ---- time ----

// A step of the slider is an event, so that a key's step is one too and a night of waiting takes no room.
$('time').oninput = () => {
	const count = Number($('time').value);
	state.until = count < state.events.length ? count : null;
	touch();
};

// ---- begin ----

addEventListener('hashchange', open);
const feed = new Feed(onEvent, (name, text) => { $('connection').className = name; $('connection').textContent = text; });
setInterval(() => { if (state.going) touch(); readLog(); }, 1000);
try {
	const {next} = await json('/history?limit=1');
	feed.start(next);
	await Promise.all([reloadRuns(), reloadGates()]);
	open();
} catch (error) {
	$('connection').textContent = `not to be had: ${error.message}`;
	setTimeout(() => location.reload(), 5000);
}
