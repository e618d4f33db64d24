// Raw routes: the newest run of each, how it knew the ends of its listings, and up to which day its data are proven.
import { h, card, count, when, badge, empty, downloads, table, airflowLink } from "./dom.js";
import { get } from "./api.js";

// The reasons are the first few; the log of the run has all of them.
const reasons = (x) => h("details", { id: `doubts-${x.name}` }, h("summary", {}, "why"), h("ul", { class: "plainlist" }, x.doubts.map((doubt) => h("li", {}, doubt)),
  x.unproven > x.doubts.length ? h("li", { class: "dim" }, `and ${count(x.unproven - x.doubts.length)} more, in the log of the run`) : null));
const ends = (x) => [x.ended_by?.replace("outside_plan", "outside the plan") ?? "–", x.unproven ? h("strong", { class: "bad" }, ` ${count(x.unproven)} may be short`) : null, x.doubts?.length ? reasons(x) : null];

export const routeColumns = [
  ["Route", (x) => [airflowLink(x.name, null, x.name), x.error_message && x.status === "failed" ? h("p", { class: "reason bad" }, x.error_message) : null]],
  ["Last run", (x) => (x.status ? badge(x.status === "success" ? "COMPLETED" : x.status.toUpperCase()) : "never")],
  ["Last success", (x) => [when(x.last_success_at), x.stale ? h("strong", { class: "bad" }, " ◷ stale") : x.scheduled ? null : h("span", { class: "dim" }, ", by hand")]],
  ["Records", (x) => (x.status ? count(x.records_processed ?? 0) : "–"), "num"],
  ["New", (x) => (x.status ? count(x.records_inserted ?? 0) : "–"), "num"],
  ["Pages", (x) => (x.pages === null ? "–" : count(x.pages)), "num"],
  ["Records/s", (x) => (x.records_per_second === null ? "–" : count(x.records_per_second)), "num"],
  ["Rejected", (x) => count(x.rejects), "num"],
  ["How the end was known", ends],
  ["Complete to", (x) => x.collected_to ?? "–"],
  ["Rows", (x) => `≈ ${count(x.estimated_rows)}`, "num"],
];

export async function routes({ signal }) {
  const { rows } = await get("routes", {}, signal);
  return card("Raw routes",
    h("div", { class: "filters" }, downloads("routes")),
    rows.length ? table("Raw routes", routeColumns, rows) : empty("There is no raw route yet.", "./etl routes new writes one from the address of an API."));
}
