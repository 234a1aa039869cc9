// One connection for everything: a WebSocket, or long polling where that cannot be had. Both go on behind the last
// event that was seen, so nothing is lost or told twice.

const RETRY = 2000;

export class Feed {
	constructor(onEvent, onState) {
		Object.assign(this, {onEvent, onState, last: null, next: null, failures: 0});
	}

	// From a place in the journal on.
	start(next) {
		this.next = next;
		this.connect();
	}

	place() {
		return this.last === null ? {from: this.next} : {after: this.last};
	}

	take(event) {
		this.last = event.id;
		this.onEvent(event);
	}

	connect() {
		const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws${location.search}`);
		let opened = false;
		socket.onopen = () => {
			opened = true;
			this.failures = 0;
			socket.send(JSON.stringify({op: 'sub', ...this.place()}));
			this.onState('live', 'live');
		};
		socket.onmessage = message => {
			const event = JSON.parse(message.data);
			if (event.specversion) this.take(event);
		};
		socket.onclose = () => {
			this.onState('lost', 'connection lost, trying again');
			this.failures += !opened;
			setTimeout(() => this.failures < 2 ? this.connect() : this.beginPolling(), RETRY);
		};
	}

	// An answer may take as long as nothing happens, so it is asked first whether there is a server at all.
	async beginPolling() {
		const answer = await fetch(`/healthz${location.search}`).catch(() => null);
		if (!answer?.ok) return this.connect();
		this.onState('live', 'live, by polling');
		this.poll();
	}

	async poll() {
		try {
			const answer = await fetch(`/poll?${new URLSearchParams({...Object.fromEntries(new URLSearchParams(location.search)), ...this.place()})}`);
			if (!answer.ok) throw new Error(answer.status);
			const {events, next} = await answer.json();
			events.forEach(event => this.onEvent(event));
			Object.assign(this, {last: null, next});
			this.poll();
		} catch {
			this.onState('lost', 'connection lost, trying again');
			setTimeout(() => { this.failures = 0; this.connect(); }, RETRY);
		}
	}
}
