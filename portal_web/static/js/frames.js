// Frames of /ws/live and of the polling door as one kind of object, whether they came in the long form or the short one.
// A position is {lat, lon, acc, course, fix, contact, interval, reason}, an ETA {at, low, high, basis}; instants are ms.

const moment = (text) => (text ? Date.parse(text) : null);

/** `raw`: what came; `place`: [lat, lon] of the visit; `now()`: the server's time (short frames carry ages only). */
export function read(raw, place, now) {
  if (Array.isArray(raw)) return readShort(raw, place, now());
  const frame = { ...raw, now: moment(raw.now) };
  if ("position" in raw) frame.position = raw.position ? position(raw.position) : null;
  if ("eta" in raw) frame.eta = raw.eta ? eta(raw.eta) : null;
  return frame;
}

function position(p) {
  const { lat, lon, acc = null, course = null, interval_s: interval = null, reason = null } = p;
  return { lat, lon, acc, course, reason, fix: moment(p.fix_at), contact: moment(p.contact_at) ?? moment(p.fix_at), interval };
}

const eta = (e) => ({ at: moment(e.at), low: moment(e.low) ?? moment(e.at), high: moment(e.high) ?? moment(e.at), basis: e.basis });

/** [offset, north, east, acc, course, speed, age, contact, eta, early, late, basis, reason], see docs/architecture.md. */
function readShort(values, place, now) {
  const [offset, north, east, acc, course, , age, contact, at, early, late, basis, reason = null] = values;
  const arrives = now + at * 1000;
  return {
    type: "update",
    offset,
    position: {
      lat: place[0] + north / 1e5,
      lon: place[1] + east / 1e5,
      acc: acc ?? null,
      course: course ?? null,
      fix: now - age * 1000,
      contact: now - (contact ?? age) * 1000,
      interval: null,
      reason,
    },
    eta: (at ?? null) === null ? null : { at: arrives, low: arrives - (early ?? 0) * 1000, high: arrives + (late ?? 0) * 1000, basis: basis ?? "road" },
  };
}
