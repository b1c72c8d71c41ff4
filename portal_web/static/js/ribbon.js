// The ribbon's geometry in per cent of its width. Says the same as portal_web/ribbon.py.
import { MINUTE, clock } from "./time.js";

const NEAR = 30 * MINUTE;
const APART = 22;

/** From 7 min before now to 5 min after the late end; a booked time within half an hour of that stretches the axis. */
export function draw(now, booked, low, high, doubtful, label, zone) {
  let start = now - 7 * MINUTE;
  let end = Math.max(high, now) + 5 * MINUTE;
  if (booked >= now - NEAR) start = Math.min(start, booked - 3 * MINUTE);
  if (booked <= high + NEAR) end = Math.max(end, booked + 3 * MINUTE);
  const x = (at) => Math.floor(((at - start) / (end - start)) * 1000 + 0.5) / 10;

  const left = x(Math.max(low, now));
  const right = x(Math.max(high, now));
  const book = start <= booked && booked <= end ? x(booked) : null;
  const first = low <= now || right - left < 1 ? null : { x: left, text: clock(low, zone), anchor: lowAnchor(left, right) };
  return {
    now: x(now),
    bandX: left,
    bandWidth: Math.max(1, Math.floor((right - left) * 10 + 0.5) / 10),
    book,
    booked: bookedMark(book, first ? [left, right] : [right], `booked ${clock(booked, zone)}`),
    low: first,
    high: { x: right, text: clock(high, zone), anchor: highAnchor(left, right) },
    doubtful,
    label,
  };
}

/** Its text is left out where it would stand closer than 22 % to a label of the range that is shown. */
function bookedMark(book, labels, text) {
  if (book === null || labels.some((label) => Math.abs(book - label) < APART)) return null;
  return { x: book, text, anchor: book < 12 ? "start" : book > 88 ? "end" : "middle" };
}

const lowAnchor = (left, right) => (right - left < 15 ? "end" : left < 6 ? "start" : "middle");
const highAnchor = (left, right) => (right > 94 ? "end" : right - left < 15 && right < 88 ? "start" : "middle");
