// model-api.mjs SCENARIOS PORT-FILE: model services that answer from a script, so that the agents' real
// programs can be run without a model. The base URL of a run is http://127.0.0.1:PORT/SCENARIO/RUN: each
// RUN goes through the turns of SCENARIO by itself; behind the last turn the model says "Done.".
//
// A turn is an object; all of it is optional:
//	say TEXT, times N	what the model says, so often
//	find REGEX		it says what of the request matches that
//	run COMMAND, background	a call of the agent's shell
//	write [PATH, TEXT]	a call of its tool that writes files
//	usage {input, output}	tokens
//	stop WORD		why the model stopped, in the service's own words
//	status N, error {…}	an HTTP error; error is laid over the service's own words for it
//	headers {…}		of the answer; "until" is the time at which it no longer lasts
//	hang, cut N		silence, or a reset connection, behind N events; 0: instead of an answer
//	again			this turn goes on for ever
//	lasts N			it goes on for N seconds
import fs from 'node:fs';
import http from 'node:http';

const [scenarioFile, portFile] = process.argv.slice(2);
const scenarios = JSON.parse(fs.readFileSync(scenarioFile, 'utf8'));
const runs = new Map(), ends = new Map();

function nextTurn(scenario, run) {
	const turns = scenarios[scenario] ?? [{ status: 404, error: { message: `no scenario ${scenario}` }, again: true }];
	const key = `${scenario}/${run}`;
	const at = runs.get(key) ?? 0;
	const turn = turns[at] ?? { say: 'Done.' };
	const until = turn.lasts && (ends.get(key) ?? Date.now() + turn.lasts * 1000);
	ends.set(key, until);
	if (until && Date.now() < until)
		return { ...turn, until };
	if (!turn.again)
		runs.set(key, at + 1);
	return until ? nextTurn(scenario, run) : turn;
}

// ---- what the four services have in common ---------------------------------------------------------

let serial = 0;
const newId = kind => `${kind}_${Date.now().toString(36)}${(serial++).toString(36)}`;
const textOf = turn => turn.found ?? (turn.say ?? '').repeat(turn.times ?? 1);
const usageOf = turn => ({ input: 100, output: 20, ...turn.usage });

function* pieces(text) {
	for (let at = 0; at < text.length; at += 60)
		yield text.slice(at, at + 60);
}

// The calls of a turn in the agent's own names: tools maps what we call them to [NAME, ARGUMENTS], of the
// tools that the agent has offered.
function callsOf(turn, tools, asked) {
	const offered = new Set((asked.tools ?? []).map(tool => tool.name));
	const calls = [];
	if (turn.run)
		calls.push(tools.run(turn.run, turn.background, offered));
	if (turn.write)
		calls.push(tools.write(...turn.write, offered));
	return calls.map(([name, input]) => ({ id: newId('call'), name, input }));
}

// ---- Anthropic's Messages ---------------------------------------------------------------------------

const anthropic = {
	path: /\/messages$/,
	tools: {
		run: (command, background) => ['Bash', { command, description: 'Run it', ...background && { run_in_background: true } }],
		write: (path, content) => ['Write', { file_path: path, content }],
	},
	error(status, words) {
		const types = { 400: 'invalid_request_error', 401: 'authentication_error', 403: 'permission_error', 429: 'rate_limit_error', 529: 'overloaded_error' };
		return { type: 'error', error: { type: types[status] ?? 'api_error', message: `status ${status}`, ...words } };
	},
	*events(turn, calls, model) {
		const { input, output } = usageOf(turn);
		const event = (type, fields) => [type, { type, ...fields }];
		const text = textOf(turn);
		let index = 0;
		yield event('message_start', { message: {
			id: newId('msg'), type: 'message', role: 'assistant', model, content: [], stop_reason: null, stop_sequence: null,
			usage: { input_tokens: input, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
		} });
		if (text) {
			yield event('content_block_start', { index, content_block: { type: 'text', text: '' } });
			for (const piece of pieces(text))
				yield event('content_block_delta', { index, delta: { type: 'text_delta', text: piece } });
			yield event('content_block_stop', { index: index++ });
		}
		for (const call of calls) {
			yield event('content_block_start', { index, content_block: { type: 'tool_use', id: call.id, name: call.name, input: {} } });
			yield event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: JSON.stringify(call.input) } });
			yield event('content_block_stop', { index: index++ });
		}
		yield event('message_delta', {
			delta: { stop_reason: turn.stop ?? (calls.length ? 'tool_use' : 'end_turn'), stop_sequence: null },
			usage: { output_tokens: output },
		});
		yield event('message_stop', {});
	},
	// For who does not ask for a stream.
	whole(turn, calls, model) {
		const { input, output } = usageOf(turn);
		const text = textOf(turn);
		return {
			id: newId('msg'), type: 'message', role: 'assistant', model, stop_sequence: null,
			content: [...text ? [{ type: 'text', text }] : [], ...calls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input }))],
			stop_reason: turn.stop ?? (calls.length ? 'tool_use' : 'end_turn'),
			usage: { input_tokens: input, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: output },
		};
	},
};

// ---- OpenAI's Responses -------------------------------------------------------------------------------

const openaiError = (status, words) => ({ error: { message: `status ${status}`, type: 'error', param: null, code: null, ...words } });

// Its name and its words differ between versions.
function shell(command, offered) {
	if (offered.has('shell'))
		return ['shell', { command: ['bash', '-c', command] }];
	if (offered.has('shell_command'))
		return ['shell_command', { command }];
	return ['exec_command', { cmd: command, login: false }];
}

const responses = {
	path: /\/responses$/,
	tools: {
		run: (command, background, offered) => shell(command, offered),
		write: (path, content, offered) => shell(`printf %s '${content}' >'${path}'`, offered),
	},
	error: openaiError,
	*events(turn, calls, model) {
		const { input, output } = usageOf(turn);
		const response = { id: newId('resp'), object: 'response', created_at: 0, model, error: null, output: [] };
		const text = textOf(turn);
		let sequence = 0, index = 0;
		const event = (type, fields) => [type, { type, sequence_number: sequence++, ...fields }];
		yield event('response.created', { response: { ...response, status: 'in_progress' } });
		if (text) {
			const message = { type: 'message', id: newId('msg'), role: 'assistant' };
			const at = { item_id: message.id, output_index: index, content_index: 0 };
			const part = { type: 'output_text', text, annotations: [] };
			yield event('response.output_item.added', { output_index: index, item: { ...message, status: 'in_progress', content: [] } });
			yield event('response.content_part.added', { part: { ...part, text: '' }, ...at });
			for (const piece of pieces(text))
				yield event('response.output_text.delta', { delta: piece, ...at });
			yield event('response.output_text.done', { text, ...at });
			yield event('response.output_item.done', { output_index: index++, item: { ...message, status: 'completed', content: [part] } });
		}
		for (const call of calls) {
			const item = { type: 'function_call', id: newId('fc'), call_id: call.id, name: call.name, arguments: JSON.stringify(call.input), status: 'completed' };
			yield event('response.output_item.added', { output_index: index, item });
			yield event('response.output_item.done', { output_index: index++, item });
		}
		if (turn.failure)
			yield event('response.failed', { response: { ...response, status: 'failed', error: turn.failure } });
		else
			yield event('response.completed', { response: { ...response, status: 'completed', usage: {
				input_tokens: input, input_tokens_details: { cached_tokens: 0 }, output_tokens: output,
				output_tokens_details: { reasoning_tokens: 0 }, total_tokens: input + output,
			} } });
	},
};

// ---- OpenAI's Chat --------------------------------------------------------------------------------------

const chat = {
	path: /\/chat\/completions$/,
	tools: {
		run: command => ['bash', { command, description: 'Run it' }],
		write: (path, content) => ['write', { filePath: path, content }],
	},
	error: openaiError,
	*events(turn, calls, model) {
		const { input, output } = usageOf(turn);
		const base = { id: newId('chatcmpl'), object: 'chat.completion.chunk', created: 0, model };
		const event = (delta, finish, more) => [null, { ...base, choices: [{ index: 0, delta, finish_reason: finish }], ...more }];
		yield event({ role: 'assistant', content: '' }, null);
		for (const piece of pieces(textOf(turn)))
			yield event({ content: piece }, null);
		for (const [index, call] of calls.entries())
			yield event({ tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: JSON.stringify(call.input) } }] }, null);
		yield event({}, turn.stop ?? (calls.length ? 'tool_calls' : 'stop'),
			{ usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output } });
		yield [null, '[DONE]'];
	},
};

// ---- Gemini -----------------------------------------------------------------------------------------------

const gemini = {
	path: /\/models\/([^/:]+):streamGenerateContent$/,
	tools: {
		run: command => ['run_shell_command', { command, description: 'Run it' }],
		write: (path, content) => ['write_file', { file_path: path, content }],
	},
	error(status, words) {
		const names = { 400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 429: 'RESOURCE_EXHAUSTED', 500: 'INTERNAL' };
		return { error: { code: status, message: `status ${status}`, status: names[status] ?? 'UNKNOWN', ...words } };
	},
	*events(turn, calls, model) {
		const { input, output } = usageOf(turn);
		const event = (parts, finish) => [null, {
			candidates: [{ index: 0, content: { role: 'model', parts }, ...finish && { finishReason: finish } }],
			usageMetadata: { promptTokenCount: input, candidatesTokenCount: output, totalTokenCount: input + output },
			modelVersion: model, responseId: 'r',
		}];
		for (const piece of pieces(textOf(turn)))
			yield event([{ text: piece }]);
		for (const call of calls)
			yield event([{ functionCall: { name: call.name, args: call.input } }]);
		yield event([{ text: '' }], turn.stop ?? 'STOP');
	},
};

// ---- the server -------------------------------------------------------------------------------------------

const services = [anthropic, responses, chat, gemini];

// What agents ask besides, for a title, of a command or to warm a cache: no turn of the scenario.
const isAside = (model, body) => /^titles$|haiku/.test(model) || /"Warmup"/.test(body);

function headersOf(turn) {
	const filled = ([name, value]) => [name, value === 'until' ? Math.ceil(turn.until / 1000) : value];
	return Object.fromEntries(Object.entries(turn.headers ?? {}).map(filled));
}

function sendJson(out, status, body, headers) {
	out.writeHead(status, { 'content-type': 'application/json', ...headers });
	out.end(JSON.stringify(body));
}

function stream(out, turn, events) {
	let sent = 0;
	if (turn.hang === 0)
		return;
	out.writeHead(200, { 'content-type': 'text/event-stream', ...turn.headers });
	for (const [name, body] of events) {
		if (turn.hang === sent)
			return;
		if (turn.cut === sent++)
			return void out.socket.resetAndDestroy();
		out.write(`${name ? `event: ${name}\n` : ''}data: ${typeof body === 'string' ? body : JSON.stringify(body)}\n\n`);
	}
	out.end();
}

function answer(request, body, out) {
	const path = request.url.split('?')[0], [, scenario, run] = path.split('/');
	const service = services.find(s => s.path.test(path));
	if (path.endsWith('/api.json')) // which models there are, by opencode's own list
		return sendJson(out, 200, {});
	if (!service)
		return sendJson(out, request.method === 'POST' ? 404 : 200, { object: 'list', data: [], models: [] });
	const asked = JSON.parse(body || '{}');
	const model = asked.model ?? path.match(/models\/([^/:]+)/)?.[1] ?? 'model';
	const turn = isAside(model, body) ? { say: 'A title' } : { ...nextTurn(scenario, run) };
	if (turn.find)
		turn.found = body.match(turn.find)?.[0] ?? 'nothing of it';
	if (turn.status)
		return sendJson(out, turn.status, service.error(turn.status, turn.error), headersOf(turn));
	const calls = callsOf(turn, service.tools, asked);
	if (service.whole && !asked.stream && turn.hang === undefined)
		return sendJson(out, 200, service.whole(turn, calls, model), turn.headers);
	stream(out, turn, service.events(turn, calls, model));
}

const server = http.createServer((request, out) => {
	const chunks = [];
	request.on('data', chunk => chunks.push(chunk));
	request.on('end', () => answer(request, Buffer.concat(chunks).toString(), out));
});
server.listen(0, '127.0.0.1', () => {
	fs.writeFileSync(`${portFile}.new`, `${server.address().port}\n`);
	fs.renameSync(`${portFile}.new`, portFile);
});
