// The page's way to the server: the socket with resuming and jittered back-off; polling while sockets do not get through.
// Events: "frame" (detail: what came), "up", "down" (detail: since when, of performance.now()), "refused" (detail: the status or
// close code that will not get better).

const QUIET_MS = 23_000; // beats come at least every 20 s: silence for longer means that nobody is there
const OFFLINE_MS = 4_000; // the device says that it is offline: so long a frame may prove it wrong
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 20_000;
const POLL_MS = 5_000;
const SOCKETS_FIRST = 3; // so many failures in a row, then polling begins beside further tries
const FINAL = new Map([[4401, 401], [4403, 404], [4404, 404]]);

export class Connection extends EventTarget {
  #urls;
  #appointment;
  #socket = null;
  #epoch = null;
  #offset = null;
  #failures = 0;
  #heard = 0;
  #up = false;
  #timer = 0;
  #poll = 0;
  #cut = 0;
  #etag = null;
  #stopped = false;

  /** Least wait before the next socket, ms: long once a visit is over. */
  patience = 0;

  /** `urls`: {socket, poll}. */
  constructor(urls, appointment) {
    super();
    this.#urls = urls;
    this.#appointment = appointment;
  }

  start() {
    addEventListener("offline", () => this.#doubt());
    addEventListener("online", () => this.#again());
    addEventListener("pageshow", (event) => event.persisted && this.#hurry());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#wake());
    setInterval(() => this.#look(), 5_000);
    this.#open();
  }

  /** Begin anew after `stop`, when it turned out that the page may stay. */
  resume() {
    this.#stopped = false;
    this.#failures = SOCKETS_FIRST;
    this.#timer = setTimeout(() => this.#open(), LONGEST_WAIT_MS);
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#cut);
    this.#stopPolling();
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #open() {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const address = new URL(this.#urls.socket, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#heard = performance.now();
    socket.onopen = () => {
      const resume = this.#epoch === null ? {} : { epoch: this.#epoch, offset: this.#offset };
      socket.send(JSON.stringify({ type: "watch", appointment: this.#appointment, short: true, ...resume }));
      this.#heard = performance.now();
    };
    socket.onmessage = (event) => this.#received(socket, event.data);
    socket.onclose = (event) => socket === this.#socket && this.#closed(event.code);
  }

  #received(socket, text) {
    if (socket !== this.#socket) return;
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      socket.close(1003);
      return;
    }
    this.#failures = 0;
    this.#stopPolling();
    const short = Array.isArray(frame);
    const update = short || frame.type === "update";
    const offset = short ? frame[0] : frame.offset;
    if (frame.type === "snapshot") this.#epoch = frame.epoch;
    if (offset !== undefined) this.#offset = offset;
    this.#deliver(frame);
    if (update && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "seen", offset }));
  }

  #deliver(frame) {
    this.#heard = performance.now();
    this.#setUp(true);
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #setUp(up, since = performance.now()) {
    if (up === this.#up) return;
    this.#up = up;
    this.dispatchEvent(new CustomEvent(up ? "up" : "down", { detail: since }));
  }

  /** The device says that it has no network: unless a frame comes soon, there is no contact, whatever the socket thinks. */
  #doubt() {
    clearTimeout(this.#cut);
    const since = performance.now();
    this.#cut = setTimeout(() => this.#heard < since && this.#setUp(false, since), OFFLINE_MS);
  }

  /** There is a network again: a socket of before may have died unnoticed, so one that stays silent is replaced. */
  #again() {
    clearTimeout(this.#cut);
    const since = performance.now();
    this.#cut = setTimeout(() => this.#socket && this.#heard < since && this.#giveUp(), OFFLINE_MS);
    this.#hurry();
  }

  #closed(code, since = performance.now()) {
    this.#socket = null;
    if (FINAL.has(code)) {
      this.stop();
      this.dispatchEvent(new CustomEvent("refused", { detail: FINAL.get(code) }));
      return;
    }
    this.#failures += 1;
    if (!this.#poll) this.#setUp(false, since);
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
    this.#timer = setTimeout(() => this.#open(), this.patience + FIRST_WAIT_MS / 2 + Math.random() * longest);
    if (this.#failures >= SOCKETS_FIRST && !this.#poll) this.#ask();
  }

  /** A socket that is silent for too long (or never opens) is given up. */
  #look() {
    if (this.#socket && performance.now() - this.#heard >= QUIET_MS) this.#giveUp();
  }

  #giveUp() {
    const socket = this.#socket;
    this.#socket = null;
    socket.close(1000);
    this.#closed(1006, this.#heard);
  }

  #wake() {
    this.#look();
    this.#hurry();
  }

  #hurry() {
    if (this.#socket || this.#stopped) return;
    this.#failures = Math.min(this.#failures, 1);
    this.#open();
  }

  // -- polling: the same snapshot over plain HTTP --------------------------------------------------------------------

  async #ask() {
    this.#poll = setTimeout(() => this.#ask(), POLL_MS * (0.8 + 0.4 * Math.random()));
    try {
      const headers = this.#etag ? { "If-None-Match": this.#etag } : {};
      const answer = await fetch(this.#urls.poll, { headers, cache: "no-store" });
      if (!this.#poll) return;
      if ([401, 403, 404].includes(answer.status)) {
        this.stop();
        this.dispatchEvent(new CustomEvent("refused", { detail: answer.status }));
      } else if (answer.status === 304) {
        this.#deliver({ type: "beat", now: now(answer) });
      } else if (answer.ok) {
        this.#etag = answer.headers.get("ETag");
        this.#deliver({ type: "snapshot", recovered: false, ...(await answer.json()) });
      } else {
        this.#setUp(false);
      }
    } catch {
      this.#setUp(false);
    }
  }

  #stopPolling() {
    clearTimeout(this.#poll);
    this.#poll = 0;
  }
}

/** The Date of an answer; it has whole seconds only, so it is taken as late as it may be. */
function now(answer) {
  const date = Date.parse(answer.headers.get("Date") ?? "");
  return Number.isNaN(date) ? undefined : new Date(date).toISOString();
}
