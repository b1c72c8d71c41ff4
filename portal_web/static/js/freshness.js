// How old a position is, in one word: by two ages, that of the fix and that of the last contact. Says the same as
// portal_web/freshness.py; a test holds the two together.
import { stamp } from "./time.js";

/** Up to which age (s) a position of a device sending every `interval` seconds is live, delayed, stale. */
export const limits = (interval) => ({
  live: Math.max(15, 2 * interval),
  delayed: Math.max(60, 4 * interval),
  stale: Math.max(300, 20 * interval),
});

export function level(fix, contact, interval, now) {
  const bounds = limits(interval);
  const age = (now - Math.max(fix, contact)) / 1000;
  if (age <= bounds.live) return (now - fix) / 1000 <= bounds.live ? "live" : "standing";
  if (age <= bounds.delayed) return "delayed";
  return age <= bounds.stale ? "stale" : "lost";
}

/** `now`, `6 s ago`, `4 min ago`, after ten minutes the time. Never negative. */
export function ageWords(at, now, zone) {
  const seconds = Math.trunc((now - at) / 1000);
  if (seconds < 1) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  return seconds < 600 ? `${Math.trunc(seconds / 60)} min ago` : stamp(at, zone);
}
