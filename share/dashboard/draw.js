// The two drawings, as SVG, each with a table that says the same in words.

const SVG = 'http://www.w3.org/2000/svg';
const ROW = 34, WIDTH = 150, GAP = 46;

export const signs = {pending: '·', ready: '·', queued: '·', running: '▶', retrying: '↻', paused: '‖', succeeded: '✓',
	failed: '✗', errored: '✗', timed_out: '⏱', upstream_failed: '–', skipped: '–', cancelled: '–'};

function svg(name, attributes, ...children) {
	const node = document.createElementNS(SVG, name);
	for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
	node.append(...children);
	return node;
}

const cut = (text, n) => text.length > n ? `${text.slice(0, n - 1)}…` : text;

// A task's level is one more than the highest of what it needs; a cycle would have been refused.
function levels(tasks) {
	const level = new Map();
	const find = (task, seen) => {
		if (level.has(task.id) || seen.has(task.id)) return level.get(task.id) ?? 0;
		seen.add(task.id);
		const value = Math.max(-1, ...task.needs.map(id => tasks.get(id)).filter(Boolean).map(need => find(need, seen))) + 1;
		level.set(task.id, value);
		return value;
	};
	for (const task of tasks.values()) find(task, new Set());
	return level;
}

function place(tasks) {
	const level = levels(tasks), next = [], at = new Map();
	for (const task of tasks.values()) {
		const column = level.get(task.id);
		const row = next[column] = (next[column] ?? -1) + 1;
		at.set(task.id, {x: 4 + column * (WIDTH + GAP), y: 4 + row * ROW});
	}
	return {at, width: 8 + next.length * (WIDTH + GAP) - GAP, height: 8 + Math.max(1, ...next.map(n => n + 1)) * ROW};
}

function edge(from, to, critical) {
	const x = from.x + WIDTH, y = from.y + 13, toY = to.y + 13, bend = Math.max(GAP / 2, (to.x - x) / 2);
	return svg('path', {class: critical ? 'edge critical' : 'edge', d: `M${x} ${y}C${x + bend} ${y} ${to.x - bend} ${toY} ${to.x} ${toY}`});
}

const link = (task, run, ...children) => svg('a', {href: `#${run}/${task.id}`, class: task.state},
	svg('title', {}, `${task.id} ${task.title}: ${task.state}`), ...children);

export function graph(run, id, path) {
	const {at, width, height} = place(run.tasks);
	const root = svg('svg', {width, height, role: 'group', 'aria-label': 'Dependencies; the table below says the same'});
	for (const task of run.tasks.values())
		for (const need of task.needs)
			if (at.has(need)) root.append(edge(at.get(need), at.get(task.id), path.indexOf(task.id) > 0 && path[path.indexOf(task.id) - 1] === need));
	for (const task of run.tasks.values()) {
		const {x, y} = at.get(task.id);
		root.append(link(task, id,
			svg('rect', {x, y, width: WIDTH, height: 26, rx: 5, class: 'box'}),
			svg('text', {x: x + 7, y: y + 17}, cut(`${signs[task.state] ?? '·'} ${task.id} ${task.title}`, 20))));
	}
	return root;
}

export function timeline(run, id, path, now) {
	const rows = [...run.tasks.values()].filter(task => task.spans.length);
	const from = Math.min(...rows.map(task => task.spans[0].start)), to = Math.max(now, from + 1000);
	const width = 900, left = 110, scale = (width - left - 8) / (to - from);
	const root = svg('svg', {width, height: rows.length * 22 + 6, role: 'group', 'aria-label': 'Timeline; the table below says the same'});
	rows.forEach((task, row) => {
		const y = row * 22 + 4;
		const line = link(task, id, svg('text', {x: 0, y: y + 13}, cut(task.id, 15)));
		for (const span of task.spans) {
			const x = left + (span.start - from) * scale, end = left + ((span.end ?? now) - from) * scale;
			line.append(svg('rect', {x, y, width: Math.max(2, end - x), height: 16, rx: 2,
				class: `span ${span.state} ${path.includes(task.id) ? 'critical' : ''}`}));
		}
		root.append(line);
	});
	return root;
}

const row = (...cells) => {
	const made = document.createElement('tr');
	for (const text of cells) made.insertCell().textContent = text;
	return made;
};

export const needsTable = run => [...run.tasks.values()].map(task => row(task.id, task.state, task.needs.join(', ') || 'nothing'));

export const spansTable = (run, now, duration) => [...run.tasks.values()].flatMap(task => task.spans.map((span, i) =>
	row(task.id, String(span.attempt ?? i + 1), new Date(span.start).toLocaleTimeString(), duration((span.end ?? now) - span.start), span.state)));
