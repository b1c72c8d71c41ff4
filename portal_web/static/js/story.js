// What a visit under way says about itself: every sentence, the shown range and the ribbon, as a pure function of facts.
// The same stands in portal_web/story.py (the first paint and the page without script); a test feeds both the same facts
// and compares every word. A trip is {name, zone, booked, planned, pausedSince, seen: {fix, contact, acc, interval},
// eta: {low, high, basis}, street, distance, reason, closed, forStaff, arriving, tracked}; instants are ms, what is unknown is null. ** marks strong words.
import { ageWords, level as levelByAge, limits } from "./freshness.js";
import { draw } from "./ribbon.js";
import { MINUTE, ceilMinute, clock, floorMinute, spanWords, stamp, wholeMinutes } from "./time.js";

const REASONS = {
  connection: "’s phone has a weak connection.**",
  battery: "’s phone is low on battery.**",
  location: "’s phone has not allowed location.**",
};

export function levelOf(trip, now) {
  if (!trip.tracked) return "hidden";
  if (trip.pausedSince) return "paused";
  if (!trip.seen) return "hidden";
  return levelByAge(trip.seen.fix, trip.seen.contact, trip.seen.interval, now);
}

const lastSeen = (trip) => Math.max(trip.seen.fix, trip.seen.contact);

/** [low, high] in whole minutes, outward, widened by the silence; null where only one time is honest. */
export function rangeOf(trip, now) {
  if (!trip.eta || levelOf(trip, now) === "lost") return null;
  const doubt = trip.seen ? Math.max(0, now - lastSeen(trip) - limits(trip.seen.interval).live * 1000) : 0;
  return [floorMinute(trip.eta.low), Math.max(ceilMinute(trip.eta.high + doubt), floorMinute(now) + MINUTE)];
}

function expectedBy(trip, now) {
  const late = trip.eta ? trip.eta.high : trip.planned;
  if (levelOf(trip, now) === "lost") {
    return ceilMinute(late + limits(trip.seen.interval).stale * 1000, 5);
  }
  const by = ceilMinute(late, 5);
  return by > now ? by : null;
}

/** The story at `now`; `shown` is the range already on the page if it should stand (the two-minute rule). */
export function tell(trip, now, shown = null) {
  const level = levelOf(trip, now);
  let range = level === "lost" ? null : shown ?? rangeOf(trip, now);
  // Nobody sees the van, so "any minute" would claim what is not known.
  if (range && range[0] <= now && (level === "paused" || level === "hidden")) range = stillPossible(range, now);
  const by = range ? null : expectedBy(trip, now);
  return {
    level,
    pill: pill(trip, level, now),
    seen: ["live", "delayed", "stale"].includes(level) ? stamp(lastSeen(trip), trip.zone, true) : null,
    title: title(trip, level),
    label: label(trip, level, range, now),
    uncertain: ["stale", "lost", "paused", "hidden"].includes(level),
    low: range ? range[0] : null,
    high: range ? range[1] : null,
    by,
    sub: sub(trip, level, range, by, now),
    ribbon: ribbon(trip, level, range, now),
    notice: notice(trip, level, by),
    mapNote: level === "stale" ? "The van may now be anywhere on the striped stretch." : null,
    mapLabel: mapLabel(trip, level),
    words: words(trip, level),
    privacy: privacy(trip, level),
    announce: announce(trip, level, range, by, now),
    there: there(trip, level),
  };
}

/** What is left of a range that has begun, in steps of five minutes; null when less than that is left. */
function stillPossible([, high], now) {
  const low = ceilMinute(now + MINUTE, 5);
  return high - low >= 5 * MINUTE ? [low, high] : null;
}

function pill(trip, level, now) {
  if (!trip.tracked) return ["No live map", "position not shown"];
  if (level === "paused") return ["Paused", `since ${stamp(trip.pausedSince, trip.zone)}`];
  if (level === "hidden") return trip.closed ? ["Closed", "not shown"] : ["Just started", "not shown yet"];
  const seen = lastSeen(trip);
  if (level === "standing") return ["Standing", `since ${stamp(trip.seen.fix, trip.zone)}`];
  if (level === "stale") return ["Stale", `last seen ${ageWords(seen, now, trip.zone)}`];
  if (level === "lost") return ["Lost", `last seen ${stamp(seen, trip.zone)}`];
  return [level === "live" ? "Live" : "Delayed", ageWords(seen, now, trip.zone)];
}

function title(trip, level) {
  const extra = { stale: ", position is old", lost: ", no position", paused: ", sharing is paused" }[level] ?? "";
  return `${trip.name} is on the way${extra}`;
}

/** Noticed at the address, and nothing newer says otherwise. */
const there = (trip, level) => Boolean(trip.arriving) && !["stale", "lost", "paused"].includes(level);

function label(trip, level, range, now) {
  if (there(trip, level)) return `${trip.name} is arriving`;
  if (level === "lost") return `We can’t see ${trip.name}’s position`;
  if (!range) return `${trip.name} is on the way`;
  const tail = range[0] <= now ? "" : range[0] === range[1] ? " at about" : " between";
  if (level === "paused" || level === "hidden") return `${trip.name} is expected${tail}`;
  return `${trip.name} ${level === "stale" ? "probably " : ""}arrives${tail}`;
}

function sub(trip, level, range, by, now) {
  const { name } = trip;
  const passed = range || by !== null ? "" : " The time it was expected has passed.";
  if (there(trip, level)) {
    return `**${name} has reached ${trip.forStaff ? "the address" : "your address"}.** This page changes when work begins.`;
  }
  if (level === "paused") {
    return `Location sharing is paused. **The visit is still on.** This page updates when sharing resumes or ${name} arrives.${passed}`;
  }
  if (!trip.tracked) {
    return `${name} has set off. **There is no live map for this visit.** This page changes when work begins.${passed}`;
  }
  if (level === "hidden" && trip.closed) {
    return `The live map of this trip has closed. **The visit is still on.** This page updates when ${name} arrives.`;
  }
  if (level === "hidden") {
    return `${name} has set off. **The van appears on the map a little later,** so that earlier stops stay private.${passed}`;
  }
  if (level === "lost") {
    const minutes = Math.max(1, Math.trunc((now - lastSeen(trip)) / MINUTE));
    const text = `No position for ${spanWords(minutes)}, so the van is no longer drawn. `;
    return by <= now
      ? `${text}The time it was expected has passed. **The visit is still on.**`
      : `${text}This time comes from the last known position and usual driving times. **The visit is still on.**`;
  }
  if (level === "stale") {
    const since = stamp(lastSeen(trip), trip.zone);
    return `The range is wider because we have had no new position since ${since}. **${name} is probably closer than shown.**`;
  }
  return comparison(trip, range, now);
}

function comparison(trip, range, now) {
  const booked = stamp(trip.booked, trip.zone);
  if (!range) return `There is no closer estimate yet. ${trip.forStaff ? "Booked for" : "You booked"} ${booked}.`;
  const low = Math.max(0, wholeMinutes(range[0] - floorMinute(now)));
  const high = Math.max(0, wholeMinutes(range[1] - floorMinute(now)));
  let countdown = `**In ${between(low, high)}.** `;
  if (low === high || high === 0) countdown = `**In about ${spanWords(Math.max(1, high))}.** `;
  else if (range[0] <= now) countdown = `**Within ${spanWords(high)}.** `;
  return countdown + againstTheBooking(trip, range, booked);
}

function againstTheBooking(trip, range, booked) {
  const early = wholeMinutes(range[0] - floorMinute(trip.booked));
  const late = wholeMinutes(range[1] - floorMinute(trip.booked));
  const booking = trip.forStaff ? `the booked ${booked}` : `the ${booked} you booked`;
  if (early > 3) return `That is ${between(early, late)} after ${booking}.`;
  if (late < -3) return `That is ${between(-late, -early)} earlier than ${trip.forStaff ? "booked" : "you booked"}.`;
  if (late > 10) return `That is up to ${spanWords(late)} after ${booking}.`;
  return `On time for ${booking}.`;
}

function between(low, high) {
  if (low === high) return spanWords(high);
  return high < 90 ? `${low} to ${spanWords(high)}` : `${spanWords(low)} to ${spanWords(high)}`;
}

function ribbon(trip, level, range, now) {
  if (!range) return null;
  const at = (instant) => clock(instant, trip.zone);
  const verb = level === "stale" ? "Probably" : "Expected";
  const text = `Now ${at(now)}. Booked arrival ${at(trip.booked)}. ${verb} between ${at(range[0])} and ${at(range[1])}.`;
  const doubtful = ["stale", "paused", "hidden"].includes(level);
  return draw(floorMinute(now), trip.booked, range[0], range[1], doubtful, text, trip.zone);
}

function notice(trip, level, by) {
  if (level === "lost") {
    const until = stamp(by, trip.zone);
    if (trip.forStaff) return `**Call ${trip.name}.** The customer is asked to call the service desk after ${until}.`;
    return `**Nothing for you to do.** Call the service desk if ${trip.name} has not arrived by ${until}.`;
  }
  if (level !== "stale") return null;
  const reason = REASONS[trip.reason ?? ""];
  const first = reason ? `**${trip.name}${reason} The visit is going ahead.` : "**The visit is going ahead.**";
  return `${first} This page updates by itself as soon as a new position arrives.`;
}

export const distanceWords = (metres) => (metres < 50 ? "less than 50 m" : `about ${lengthWords(metres)}`);

function lengthWords(metres) {
  if (metres < 950) return `${Math.trunc(metres / 50 + 0.5) * 50} m`;
  const tenths = Math.trunc(metres / 100 + 0.5);
  if (tenths < 100) return tenths % 10 ? `${Math.trunc(tenths / 10)}.${tenths % 10} km` : `${tenths / 10} km`;
  return `${Math.trunc(metres / 1000 + 0.5)} km`;
}

function words(trip, level) {
  if (!trip.seen || level === "paused" || level === "hidden") return null;
  const where = trip.street ? `on ${trip.street}` : null;
  let away = trip.distance === null ? null : `${distanceWords(trip.distance)} away`;
  if (away && trip.eta?.basis === "road") away += " by road";
  const seen = stamp(lastSeen(trip), trip.zone, true);
  if (level === "stale" || level === "lost") {
    const place = [where ? `${where} at ${seen}` : `at ${seen}`, away].filter(Boolean).join(", ");
    return `Without the map: last seen ${place}. No position since.`;
  }
  const verb = level === "standing" ? "is standing" : "is";
  const place = [where, away].filter(Boolean).join(", ") || (trip.forStaff ? "on the way" : "on the way to you");
  const acc = trip.seen.acc ? `, accurate to about ${Math.max(1, Math.trunc(trip.seen.acc + 0.5))} m` : "";
  return `Without the map: ${trip.name} ${verb} ${place}. Position taken at ${stamp(trip.seen.fix, trip.zone, true)}${acc}.`;
}

function privacy(trip, level) {
  if (!trip.tracked) {
    return trip.forStaff
      ? "**Customers are shown no live map.** The setting technician tracking is off."
      : `**${trip.name}’s location is not shown on this page.** It says when work begins, and when it is done.`;
  }
  if (level === "paused") {
    return "**Technicians can pause sharing,** for a break for example. While it is paused no position is sent or stored.";
  }
  if (trip.forStaff) {
    return `**${trip.name} stops sharing with the customer on arrival.** The customer sees what you see here, and never earlier stops. Your look is written down.`;
  }
  return `**${trip.name} stops sharing on arrival.** You can see the van only while ${trip.name} travels to you. Earlier stops are never shown.`;
}

function mapLabel(trip, level) {
  const on = trip.street ? ` on ${trip.street}` : "";
  const address = trip.forStaff ? "the address" : "your address";
  if (level === "lost") return `Map of ${address}. There is no recent position for ${trip.name}’s van.`;
  if (level === "paused") return `Map of ${address}. ${trip.name}’s location is not shared at the moment.`;
  if (level === "hidden") return `Map of ${address}. ${trip.name}’s van is not shown${trip.closed || !trip.tracked ? "" : " yet"}.`;
  if (level === "stale") {
    const at = clock(lastSeen(trip), trip.zone);
    return `Map with the last known position of ${trip.name}’s van, seen at ${at}${on}, and ${address}. The van has probably moved closer since then.`;
  }
  return `Map with ${trip.name}’s van${on} and ${address}. The same information is in the text beside the map.`;
}

function announce(trip, level, range, by, now) {
  const { name, zone } = trip;
  if (there(trip, level)) return `${name} is arriving.`;
  const first = {
    stale: "The position is old. ",
    paused: "Location sharing is paused. ",
    lost: `We can’t see ${name}’s position. `,
  }[level] ?? "";
  if (!range) return `${first}${name} is on the way.${by !== null && by > now ? ` Expected by ${clock(by, zone)}.` : ""}`;
  const expected = level === "paused" || level === "hidden";
  const verb = level === "stale" ? "probably arrives" : expected ? "is expected" : "arrives";
  if (range[0] <= now) return `${first}${name} ${verb} any minute, latest ${clock(range[1], zone)}.`;
  if (range[0] === range[1]) return `${first}${name} ${verb} at about ${clock(range[0], zone)}.`;
  return `${first}${name} ${verb} between ${clock(range[0], zone)} and ${clock(range[1], zone)}.`;
}
