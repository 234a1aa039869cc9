// The dashboard as its user meets it: in a browser, over a real server, with real runs.

import assert from 'node:assert/strict';
import {after, afterEach, before, beforeEach, test} from 'node:test';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {closeBrowser, House, openBrowser, shown, slide, states, until, violations} from './house.mjs';

let house;
before(openBrowser);
after(closeBrowser);
beforeEach(() => { house = new House(); });
afterEach(() => house.end());

const waitFor = name => `until [ -e ${name} ]; do sleep 0.05; done`;

// Two stories that wait for a file each, and one behind both.
const slow = {name: 'night', tasks: [
	{id: 'A', title: 'First story', run: waitFor('a')},
	{id: 'B', title: 'Second story', run: waitFor('b')},
	{id: 'C', title: 'Last story', needs: ['A', 'B'], criteria: ['It works', 'It is told'], run: 'true'},
]};

const begin = (plan = slow, ...more) => house.start('loop-sched', 'run', house.file('plan.json', plan), '--id', 'night', '-j', '4', ...more);
const go = name => house.file(name, 'go');
const state = (page, wanted) => until(JSON.stringify(wanted), async () => {
	const now = await states(page);
	return Object.entries(wanted).every(([task, word]) => now[task] === word);
});

test('a run is followed live, to its end', async () => {
	begin();
	await house.serve();
	const page = await house.page();
	await state(page, {A: 'running', B: 'running', C: 'pending'});
	go('a');
	await state(page, {A: 'succeeded', B: 'running'});
	go('b');
	await state(page, {C: 'succeeded'});
	await until('the run has ended', async () => (await shown(page)).title === 'night: succeeded');
	assert.match(await page.locator('#critical').innerText(), /→ C\.$/);
	assert.equal(await page.locator('#runs tbody tr').count(), 1);
	await until('the grid of runs has it too', async () => await page.locator('#runs td.cell.succeeded').count() === 3);
});

test('a reload in the middle and a server that is killed and comes back change nothing', async () => {
	begin();
	await house.serve();
	const page = await house.page();
	await state(page, {A: 'running'});
	go('a');
	await state(page, {A: 'succeeded', B: 'running'});
	const first = await shown(page);
	await page.reload();
	await page.locator('#connection.live').waitFor();
	await state(page, {A: 'succeeded', B: 'running'});
	assert.deepEqual(await shown(page), first);

	await house.kill(house.server);
	await page.locator('#connection.lost').waitFor();
	go('b');
	await house.serve(house.port);
	await page.locator('#connection.live').waitFor();
	await state(page, {B: 'succeeded', C: 'succeeded'});
	const {rows, count} = await shown(page);
	assert.equal(count, house.events().filter(event => event.runid === 'night').length, 'each event once');
	assert.deepEqual(rows.map(row => row[0]), ['✓ succeeded', '✓ succeeded', '✓ succeeded']);
});

test('a moment of the past is shown as it was when it was live', async () => {
	begin();
	await house.serve();
	const page = await house.page(), moments = [];
	const look = async wanted => {
		await state(page, wanted);
		moments.push(await shown(page));
	};
	await look({A: 'running', B: 'running'});
	go('a');
	await look({A: 'succeeded'});
	go('b');
	await look({C: 'succeeded'});
	for (const moment of [...moments, ...moments.reverse()]) {
		await slide(page, moment.count);
		await until(`event ${moment.count}`, async () => JSON.stringify(await shown(page)) === JSON.stringify(moment));
	}
	await slide(page, 0);
	await state(page, {A: 'pending', B: 'pending', C: 'pending'});
	assert.equal(await page.locator('#controls').isVisible(), false, 'the past is not to be controlled');
});

test('pause, continue and cancel ask, want the token, and work', async () => {
	const run = begin();
	await house.serve();
	const page = await house.page();
	await state(page, {A: 'running'});
	const ask = async (word, answer, token) => {
		await page.getByRole('button', {name: word, exact: true}).click();
		if (token !== undefined) await page.locator('#token').fill(token);
		await page.locator('#confirm').getByRole('button', {name: answer, exact: true}).click();
	};
	await ask('Pause', 'No');
	await ask('Pause', 'Yes', 'not the token');
	await page.getByText(/^Not done:/).waitFor();
	await ask('Pause', 'Yes', house.token);
	await page.getByText('Done.').waitFor();
	const log = () => house.run('jq', '-r', '.run // empty', join(house.env.LOOP_DIR, 'runs/night/run.jsonl'));
	await until('the run is paused', () => log().includes('paused'));
	await ask('Continue', 'Yes');
	await until('the run goes on', () => log().includes('continued'));
	await ask('Cancel', 'Yes');
	await state(page, {A: 'cancelled', B: 'cancelled'});
	await until('the scheduler has ended', () => run.exitCode !== null);
	assert.ok(house.events().some(event => event.type === 'run.ended' && event.data.state === 'cancelled'));
});

test('a gate is answered from the page', async () => {
	house.run('loop-gate', 'ask', '--id', 'deploy', 'Deploy it?');
	await house.serve();
	const page = await house.page();
	await page.getByText('Deploy it?').waitFor();
	await page.getByRole('button', {name: 'Approve'}).click();
	await page.locator('#token').fill(house.token);
	await page.locator('#confirm-why').fill('looked at it');
	await page.locator('#confirm-yes').click();
	await until('the gate is answered', () => /"state":"approved".*"why":"looked at it"/.test(house.run('loop-gate', 'list', '--json')));
	await page.locator('#gates-box').waitFor({state: 'hidden'});
});

test('everything can be reached and done by the keyboard', async () => {
	begin();
	await house.serve();
	const page = await house.page();
	await state(page, {A: 'running'});
	const focus = () => page.evaluate(() => document.activeElement.getAttribute('href') ?? document.activeElement.id ?? '');
	const tabTo = async wanted => {
		for (let i = 0; i < 80; i++) {
			await page.keyboard.press('Tab');
			if (await focus() === wanted || await page.evaluate(text => document.activeElement.textContent === text, wanted)) return;
		}
		assert.fail(`no way to ${wanted} by Tab`);
	};
	await tabTo('#run');
	await tabTo('#night/B');
	await page.keyboard.press('Enter');
	await until('the story is open', async () => (await page.locator('#story-title').innerText()).startsWith('B'));
	assert.equal(await focus(), '#night/B', 'what is drawn anew keeps the focus');
	await page.reload();
	await page.locator('#connection.live').waitFor();
	await tabTo('Pause');
	await page.keyboard.press('Enter');
	await page.locator('#confirm[open]').waitFor();
	await page.keyboard.press('Escape');
	await page.locator('#confirm:not([open])').waitFor({state: 'attached'});
	await tabTo('time');
	await page.keyboard.press('Home');
	await state(page, {A: 'pending'});
	await page.keyboard.press('ArrowRight');
	await until('one event further', async () => (await shown(page)).count === 1);
	await page.keyboard.press('End');
	await state(page, {A: 'running'});
});

// A run that has everything to see: a failure with a log, retries, an open question.
async function fullRun() {
	const plan = {name: 'night', tasks: [
		{id: 'A', title: 'First story', run: 'echo make a | loop-spawn --agent mock --prompt - || true'},
		{id: 'B', title: 'Second story', run: 'exit 3', needs: ['A'], criteria: ['It works']},
		{id: 'C', title: 'Behind the second', run: 'true', needs: ['B']},
		{id: 'D', title: 'Waits', run: waitFor('d')}]};
	begin(plan);
	house.run('loop-gate', 'ask', '--id', 'deploy', 'Deploy it?');
	await house.serve();
}

const widths = {desktop: {width: 1280, height: 900}, phone: {width: 360, height: 740}};
for (const colorScheme of ['light', 'dark'])
	for (const [name, viewport] of Object.entries(widths))
		test(`names, contrast and order are right: ${name}, ${colorScheme}`, async () => {
			await fullRun();
			const page = await house.page({colorScheme, viewport, reducedMotion: 'reduce', hash: '#night/B'});
			await state(page, {B: 'failed', C: 'upstream_failed', D: 'running'});
			await page.getByText('Deploy it?').waitFor();
			for (const twin of await page.locator('summary').all()) await twin.click();
			assert.deepEqual(await violations(page), []);
			assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'no scrolling sideways');
			if (process.env.SCREENSHOTS) {
				mkdirSync(process.env.SCREENSHOTS, {recursive: true});
				await page.screenshot({path: join(process.env.SCREENSHOTS, `${name}-${colorScheme}.png`), fullPage: true});
			}
			assert.deepEqual(await page.locator('#graph-table tr').allInnerTexts(),
				['A\tsucceeded\tnothing', 'B\tfailed\tA', 'C\tupstream_failed\tB', 'D\trunning\tnothing']);
			assert.deepEqual((await page.locator('#timeline-table tr').allInnerTexts()).map(row => row.split('\t')[0]), ['A', 'B', 'D']);
			assert.match(await page.locator('#story-why').innerText(), /status 3/);
			go('d');
		});

test('where a WebSocket cannot be had it polls, and says so', async () => {
	begin();
	await house.serve();
	const page = await house.page({}, page => page.addInitScript(() => {
		globalThis.WebSocket = class { constructor() { setTimeout(() => this.onclose?.(), 0); } };
	}));
	assert.equal(await page.locator('#connection').innerText(), 'live, by polling');
	await state(page, {A: 'running'});
	go('a');
	go('b');
	await state(page, {C: 'succeeded'});
});

test('a log is followed, made safe, and leads from error to error', async () => {
	const escape = '\x1b[31m';
	house.file('noise.sh', `printf 'one\\n'; printf '${escape}error: two${escape}\\n'; printf '<b>three</b>\\n'; ${waitFor('more')}; printf 'failed: four\\n'\n`);
	begin({name: 'night', tasks: [{id: 'A', title: 'Noise', run: 'loop-spawn -- sh noise.sh'}]});
	await house.serve();
	const page = await house.page({hash: '#night/A'});
	await page.getByRole('button', {name: /^Log of/}).click();
	const log = page.locator('#log');
	await until('the log is there', async () => (await log.innerText()).includes('<b>three</b>'));
	assert.equal((await log.innerText()).includes('\x1b'), false);
	assert.equal(await log.locator('b').count(), 0);
	go('more');
	await until('the log is followed', async () => (await log.innerText()).includes('four'));
	assert.deepEqual(await log.locator('mark').allInnerTexts(), ['error: two', 'failed: four']);
});

test('the metrics are those of loop-stat, and the report is that of loop', async () => {
	begin({name: 'night', tasks: [{id: 'A', title: 'First <story>', run: 'true'}, {id: 'B', title: 'Second', run: 'exit 3'}]});
	await house.serve();
	const page = await house.page();
	await state(page, {A: 'succeeded', B: 'failed'});
	house.run('loop-emit', '-', {input: Array.from({length: 100}, (_, i) => JSON.stringify({type: 'metric', data: {value: i + 1}})).join('\n') + '\n'});
	await page.getByRole('heading', {name: 'Metrics'}).click();
	const row = page.locator('#metrics tbody tr', {hasText: 'metric'});
	await row.waitFor();
	const series = house.run('loop-stat', '--json', '--type', 'metric').trim(), {p50, p99, max} = JSON.parse(series);
	const cells = await row.locator('td').allInnerTexts();
	assert.deepEqual([cells[0], cells[2], cells[4], cells[5]], ['100', ...[p50, p99, max].map(value => Number(value.toPrecision(4)).toLocaleString('en'))]);
	assert.equal(await page.locator('#metrics tbody tr').first().locator('th').innerText(), 'metric', 'the most frequent first');
	await page.locator('#metrics-since').selectOption('10m');
	house.run('loop-emit', 'metric', 'value:=1');
	await until('they go along', async () => await row.locator('td').first().innerText() === '101');
	assert.deepEqual(await violations(page), []);
	if (process.env.SCREENSHOTS) await page.screenshot({path: join(process.env.SCREENSHOTS, 'metrics.png')});

	await until('the run has ended', async () => (await shown(page)).title === 'night: failed');
	await page.getByRole('link', {name: 'Report', exact: true}).click();
	await page.getByRole('heading', {level: 1}).waitFor();
	assert.equal(await (await fetch(page.url())).text(), house.run('loop', 'report', '--html', 'night'));
	assert.match(await page.locator('body').innerText(), /First <story>/);
	assert.deepEqual(await violations(page), []);
	if (process.env.SCREENSHOTS) await page.screenshot({path: join(process.env.SCREENSHOTS, 'report.png')});
});

test('150 tasks and 10,000 events are drawn without a stall', async () => {
	const tasks = Array.from({length: 150}, (_, i) => ({id: `T${i}`, title: `Task ${i}`, run: 'true',
		needs: i < 10 ? [] : [`T${i - 10}`, `T${Math.floor(i / 2) - 5 < 0 ? 0 : Math.floor(i / 2) - 5}`].filter((id, at, all) => all.indexOf(id) === at)}));
	house.run('loop-sched', 'run', house.file('plan.json', {name: 'night', tasks}), '--id', 'night', '-j', '4');
	house.run('loop-emit', '-', {input: Array.from({length: 10000}, (_, i) => JSON.stringify({type: 'session.tool', runid: 'night',
		sessionid: 'ses_x', subject: `night/T${i % 150}`, data: {name: `tool ${i}`, id: `t${i}`, phase: 'started'}})).join('\n') + '\n'});
	await house.serve();
	const page = await house.page({}, page => page.addInitScript(() => {
		globalThis.longest = 0;
		new PerformanceObserver(list => list.getEntries().forEach(entry => { globalThis.longest = Math.max(globalThis.longest, entry.duration); }))
			.observe({type: 'longtask', buffered: true});
	}));
	await until('all events are folded', async () => (await shown(page)).count > 10000);
	assert.equal(await page.locator('#graph svg a').count(), 150);
	assert.equal(await page.locator('#graph svg path').count(), tasks.reduce((sum, task) => sum + task.needs.length, 0));
	assert.ok(await page.locator('#events li').count() <= 100, 'only the newest events are in the page');
	for (const count of [5000, 100, 9000, 0, 10000]) {
		await slide(page, count);
		await until(`event ${count}`, async () => (await shown(page)).count === count);
	}
	const overlap = await page.evaluate(() => {
		const boxes = [...document.querySelectorAll('#graph rect')].map(box => box.getBBox());
		return boxes.some((a, i) => boxes.some((b, j) => i < j && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height));
	});
	assert.equal(overlap, false);
	console.log(`# the longest task of the page's thread: ${Math.round(await page.evaluate(() => globalThis.longest))} ms`);
	if (process.env.SCREENSHOTS) await page.locator('#graph').screenshot({path: join(process.env.SCREENSHOTS, 'graph.png')});
});
