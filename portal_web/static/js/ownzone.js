// "That is 13:00 where you are.": a visit's time in the zone of whoever looks, where the server does not know that zone.
// Says the same as portal_web/chosen_view.py.

const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;

function wall(at, zone) {
  const parts = { timeZone: zone, weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const said = Object.fromEntries(new Intl.DateTimeFormat("en-GB", parts).formatToParts(at).map(({ type, value }) => [type, value]));
  return { day: `${said.weekday} ${said.day} ${said.month.slice(0, 3)}`, time: `${said.hour}:${said.minute}` };
}

/** The sentence for an instant in ms; null where both zones show the same time. */
export function ownWords(at, zone, own = HERE) {
  const there = wall(at, zone);
  const here = wall(at, own);
  if (there.day === here.day && there.time === here.time) return null;
  return `That is ${there.day === here.day ? "" : `${here.day}, `}${here.time} where you are.`;
}

/** Fills every place for it inside an element; what the server said stays. */
export function addOwnTimes(root) {
  for (const place of root.querySelectorAll("[data-own-time]")) {
    if (!place.hidden) continue;
    const words = ownWords(Date.parse(place.dataset.ownTime), place.dataset.zone);
    if (!words) continue;
    place.textContent = words;
    place.hidden = false;
  }
}
