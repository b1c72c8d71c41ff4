// Times as people read them, in the zone of the visit's address. Says the same as portal_web/times.py. Instants are ms.

export const MINUTE = 60_000;
const formats = new Map();

function format(zone, seconds) {
  const key = `${zone} ${seconds}`;
  if (!formats.has(key)) {
    const parts = { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    formats.set(key, new Intl.DateTimeFormat("en-GB", seconds ? { ...parts, second: "2-digit" } : parts));
  }
  return formats.get(key);
}

/** `14:05` */
export const clock = (at, zone) => format(zone, false).format(at);

/** What stands in <time datetime>: UTC to the second. */
export const machine = (at) => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** A time inside a sentence, which `rich` turns into <time>: `[14:01](2026-11-24T12:01:07Z)` */
export const stamp = (at, zone, seconds = false) => `[${format(zone, seconds).format(at)}](${machine(at)})`;

export const floorMinute = (at) => Math.floor(at / MINUTE) * MINUTE;
export const ceilMinute = (at, minutes = 1) => Math.ceil(at / (MINUTE * minutes)) * MINUTE * minutes;
export const wholeMinutes = (span) => Math.round(span / MINUTE);

/** `35 min`, `2 h`, `1 h 35 min` */
export function spanWords(minutes) {
  if (minutes < 90) return `${minutes} min`;
  const rest = minutes % 60;
  return rest ? `${(minutes - rest) / 60} h ${rest} min` : `${minutes / 60} h`;
}
