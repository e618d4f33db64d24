// Lists that go on: "50 of 300" below a table, and a button for more. How many rows somebody wants to see stays through
// the refreshes of a view.
import { h, count, table } from "./dom.js";

const COUNTED = 10000; // the server counts no further
const LONGEST = 500;
const wanted = new Map();

// name: of the list with its filters; first: how many rows it begins with.
export const size = (name, first) => wanted.get(name) ?? first;

// id: for the button; name and first as above; older: where the list goes on when it is too long for one view.
export function footer(id, { name, first, shown, total, refresh, older = null, longest = LONGEST }) {
  if (total === null || total === undefined || !shown) return null;
  const words = `${count(shown)} of ${total > COUNTED ? `more than ${count(COUNTED)}` : count(total)}`;
  const rest = shown < total;
  const more = () => {
    wanted.set(name, Math.min(shown + Math.max(first, shown), longest));
    refresh();
  };
  return h("p", { class: "pager", id: `${id}-footer` }, h("span", { class: "dim" }, words),
    rest && shown < longest ? h("button", { type: "button", id: `${id}-more`, onclick: more }, "More") : null,
    rest && shown >= longest && older ? h("a", { class: "button", href: older }, "Older") : null);
}

// A table whose rows are all here and shown a part at a time.
export function stepped(caption, columns, rows, first = 50) {
  const holder = h("div", { class: "stack tight" });
  const draw = (shown) => holder.replaceChildren(table(caption, columns, rows.slice(0, shown)),
    h("p", { class: "pager" }, h("span", { class: "dim" }, `${count(Math.min(shown, rows.length))} of ${count(rows.length)}`),
      ...(shown < rows.length ? [h("button", { type: "button", onclick: () => draw(shown * 4) }, "More")] : [])));
  draw(first);
  return holder;
}
