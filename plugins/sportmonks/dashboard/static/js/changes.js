// The ledger: what the provider changed after a match had been collected.
import { h, card, when, empty, downloads, duration, table } from "./dom.js";
import { get, query } from "./api.js";
import { footer, size } from "./lists.js";

const FIELDS = ["league_id", "season_id", "fixture_id", "execution_id"];
const shown = (value) => (value === null || value === undefined ? "–" : typeof value === "object" ? Object.entries(value).map(([key, item]) => `${key} ${typeof item === "object" ? JSON.stringify(item) : item}`).join(", ") : String(value));

export const changeColumns = [
  ["Found", (c) => when(c.changed_at)],
  ["Fixture", (c) => h("a", { href: `#/fixture/${c.fixture_id}` }, c.fixture_name ?? c.fixture_id)],
  ["Season", (c) => h("a", { href: `#/season/${c.league_id}/${c.season_id}` }, `${c.league_name ?? c.league_id} ${c.season_name ?? c.season_id}`)],
  ["What", (c) => (c.field ? `${c.section}.${c.field}` : c.section)],
  ["Before", (c) => shown(c.before)],
  ["After", (c) => shown(c.after)],
  ["After the end", (c) => (c.hours_after === null ? "–" : duration(c.hours_after * 3600)), "num"],
];

export async function changes({ search, signal, go, refresh }) {
  const filter = Object.fromEntries(FIELDS.map((name) => [name, search.get(name) ?? ""]));
  const before = search.get("before") ?? "";
  const name = `changes${query({ ...filter, before })}`;
  const data = await get("changes", { ...filter, before, limit: size(name, 50) }, signal);
  const send = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    go(`#/corrections${query(Object.fromEntries(FIELDS.map((name) => [name, String(form.get(name) ?? "").trim()])))}`);
  };
  const labels = { league_id: "League id", season_id: "Season id", fixture_id: "Fixture id", execution_id: "Execution" };
  return h("div", { class: "stack" }, card("Corrections",
    h("p", { class: "dim" }, "What the provider changed after a fixture had been collected. The tables hold the newest state; this is what it was before."),
    h("form", { class: "filters", role: "search", onsubmit: send }, FIELDS.map((name) => h("label", {}, `${labels[name]} `, h("input", { id: `change-${name}`, name, value: filter[name], size: name === "execution_id" ? 24 : 10, inputmode: name === "execution_id" ? undefined : "numeric" }))), h("button", { type: "submit" }, "Filter"), FIELDS.some((f) => filter[f]) ? h("a", { class: "button", href: "#/corrections" }, "Clear") : null, downloads("changes", query(filter))),
    data.rows.length ? table("Corrections", changeColumns, data.rows) : empty("No correction found.", "Finished matches are read again after an hour, a day, a week and a month; what has changed appears here."),
    before ? h("p", {}, h("a", { class: "button", href: `#/corrections${query(filter)}` }, "Newest")) : null,
    footer("corrections", { name, first: 50, shown: data.rows.length, total: data.total, refresh, older: data.next && `#/corrections${query({ ...filter, before: data.next })}` })));
}
