// What every test of the dashboard needs: a state directory with a server of its own, and a page in a
// real browser. All that a test starts ends with it, by pid.

import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createRequire} from 'node:module';
import {setTimeout as sleep} from 'node:timers/promises';

const need = createRequire(join(process.env.NODE_MODULES, 'x.js'));
const {chromium} = need('playwright-core');
const axe = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8');

let browser;
export const openBrowser = async () => {
	browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox']});
};
export const closeBrowser = () => browser.close();

export async function until(what, condition, seconds = 30) {
	for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(50))
		if (await condition()) return;
	throw new Error(`still not so: ${what}`);
}

export class House {
	constructor() {
		this.folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
		this.env = {...process.env, LOOP_DIR: join(this.folder, '.loop'), HOME: this.folder, TZ: 'UTC'};
		this.children = [];
		this.pages = [];
	}

	file(name, content) {
		writeFileSync(join(this.folder, name), typeof content === 'string' ? content : JSON.stringify(content));
		return name;
	}

	run(command, ...args) {
		const input = typeof args.at(-1) === 'object' ? args.pop().input : undefined;
		return execFileSync(command, args, {cwd: this.folder, env: this.env, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'],
			maxBuffer: 1 << 28});
	}

	start(command, ...args) {
		const child = spawn(command, args, {cwd: this.folder, env: this.env, stdio: 'ignore'});
		this.children.push(child);
		return child;
	}

	events() {
		return this.run('loop-bus', 'history', '--all').trim().split('\n').map(line => JSON.parse(line));
	}

	async serve(port = 0) {
		this.file('port', '');
		this.server = this.start('loop-stream', 'serve', '--listen', `127.0.0.1:${port}`, '--port-file', 'port');
		await until('the server listens', () => readFileSync(join(this.folder, 'port'), 'utf8').trim());
		this.port = Number(readFileSync(join(this.folder, 'port'), 'utf8'));
		this.url = `http://127.0.0.1:${this.port}`;
	}

	async kill(child, signal = 'SIGKILL') {
		child.kill(signal);
		if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
	}

	get token() {
		return readFileSync(join(this.env.LOOP_DIR, 'token'), 'utf8').trim();
	}

	// A page whose errors fail the test.
	async page(options = {}, prepare = () => {}) {
		const context = await browser.newContext(options), page = await context.newPage();
		page.errors = [];
		page.on('pageerror', error => page.errors.push(error.message));
		await prepare(page);
		await page.goto(`${this.url}/${options.hash ?? ''}`);
		await page.locator('#connection.live').waitFor();
		this.pages.push(page);
		return page;
	}

	async end() {
		const errors = this.pages.flatMap(page => page.errors);
		for (const page of this.pages) await page.context().close();
		for (const child of this.children) await this.kill(child);
		if (errors.length) throw new Error(`errors in the page: ${errors.join('; ')}`);
	}
}

// The tasks as the page shows them, and how many events it has folded to show them; elapsed time left out.
export const shown = page => page.evaluate(() => ({
	count: Number(document.getElementById('time').value),
	rows: [...document.getElementById('tasks').tBodies[0].rows].map(row => [0, 1, 2, 3, 6].map(i => row.cells[i].innerText.trim())),
	title: document.getElementById('title').textContent,
}));

export const states = async page => Object.fromEntries((await shown(page)).rows.map(row => [row[1], row[0].split(' ')[1]]));

export const slide = (page, count) => page.locator('#time').evaluate((time, value) => {
	time.value = value;
	time.dispatchEvent(new Event('input'));
}, count);

// What axe finds wrong, each as rule and place.
export async function violations(page) {
	await page.evaluate(axe);
	const {violations} = await page.evaluate(() => globalThis.axe.run(document, {resultTypes: ['violations']}));
	return violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.target.join(' ')} (${node.failureSummary})`));
}
