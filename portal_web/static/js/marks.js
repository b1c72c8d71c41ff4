// The marks on the map as SVG elements: the van (live, old), its flag, and the pin of the address.

const SVG = "http://www.w3.org/2000/svg";
const BODY = "M0 -27 9.5 -15.5A18.2 18.2 0 1 1 -9.5 -15.5z";
const ROUND = "M0 -18.2A18.2 18.2 0 1 1 0 18.2 18.2 18.2 0 1 1 0 -18.2z";
const VAN = "M2.75 16.5V7.25a1.5 1.5 0 0 1 1.5-1.5h9v10.75M13.25 9h3.6a2 2 0 0 1 1.7.95l2.4 3.9a2 2 0 0 1 .3 1.05v1.6a1 1 0 0 1-1 1h-.9M9.3 17.5h4.9M2.75 16.5a1 1 0 0 0 1 1h.85";
const PIN = "M0 1c-3.5-6.5-14.5-13-14.5-24.5a14.5 14.5 0 1 1 29 0C14.5-12 3.5-5.5 0 1z";
const HOME = "M4 11.2 12 4.5l8 6.7V19a1 1 0 0 1-1 1h-4.5v-5.5h-5V20H5a1 1 0 0 1-1-1z";

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const frame = (...children) => svg("svg", { width: 1, height: 1, "aria-hidden": "true", focusable: "false" }, ...children);

export function pin() {
  return frame(
    svg("ellipse", { class: "mk-sh", cx: 0, cy: 1, rx: 9, ry: 4 }),
    svg("path", { class: "mk-pin", d: PIN }),
    svg("g", { class: "mk-pin-g", transform: "translate(-9 -33) scale(.75)" }, svg("path", { d: HOME })),
  );
}

/** The van with the means to change it: course(degrees or null), live(bool), old(bool, text of the flag or null). */
export function van() {
  const pulse = svg("circle", { class: "mk-pulse", r: 20 });
  const body = svg("path", { class: "mk-body", d: ROUND });
  const text = svg("text", { class: "mk-flag-t", y: 43 });
  const plate = svg("rect", { class: "mk-flag", y: 28, height: 23, rx: 8 });
  const flag = svg("g", { visibility: "hidden" }, plate, text);
  const glyph = svg(
    "g",
    { class: "mk-glyph", transform: "translate(-10 -10) scale(.835)" },
    svg("path", { d: VAN }),
    svg("circle", { cx: 6.95, cy: 17.5, r: 2.1 }),
    svg("circle", { cx: 16.7, cy: 17.5, r: 2.1 }),
  );
  const whole = svg("g", {}, pulse, svg("ellipse", { class: "mk-sh", cx: 0, cy: 4, rx: 17, ry: 15 }), body, glyph, flag);
  return {
    element: frame(whole),
    course(degrees) {
      body.setAttribute("d", degrees === null ? ROUND : BODY);
      body.setAttribute("transform", `rotate(${degrees === null ? 0 : Math.round(degrees)})`);
    },
    live(on) {
      pulse.setAttribute("visibility", on ? "visible" : "hidden");
    },
    old(on, label) {
      whole.setAttribute("class", on ? "mk--old" : "");
      flag.setAttribute("visibility", label ? "visible" : "hidden");
      if (label === null) return;
      text.textContent = label;
      const width = Math.round(label.length * 6.6 + 16);
      plate.setAttribute("x", -width / 2);
      plate.setAttribute("width", width);
    },
  };
}
