// One fixture: score line, sections with their rows, payload, what the provider changed, and every read with its reason.
import { h, card, count, when, minute, badge, empty, table } from "./dom.js";
import { get, query } from "./api.js";
import { changeColumns } from "./changes.js";
import { footer, size, stepped } from "./lists.js";

const words = (text) => (text ?? "").replaceAll("_", " ");
const title = (text) => words(text).replace(/^./, (c) => c.toUpperCase());
const OPEN = new Set(["scores", "events"]);
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

export const fixtureLink = (id, text) => h("a", { href: `#/fixture/${id}` }, text ?? id);

export function fixtureForm(go) {
  const send = (event) => {
    event.preventDefault();
    const id = String(new FormData(event.target).get("id") ?? "").trim();
    if (/^\d{1,18}$/.test(id)) go(`#/fixture/${id}`);
  };
  return h("form", { class: "filters", role: "search", onsubmit: send },
    h("label", {}, "Fixture id ", h("input", { id: "fixture-id", name: "id", size: 12, required: "", inputmode: "numeric", pattern: "[0-9]{1,18}", title: "the provider's number of the fixture" })),
    h("button", { type: "submit" }, "Open"));
}

function score(x) {
  const known = x.home_goals !== null && x.away_goals !== null;
  const parts = [["half-time", x.half_time_home_goals, x.half_time_away_goals], ["extra time", x.extra_time_home_goals, x.extra_time_away_goals], ["penalties", x.penalties_home, x.penalties_away]]
    .filter(([, home, away]) => home !== null && away !== null).map(([name, home, away]) => `${name} ${home}:${away}`);
  return h("div", { class: "score" },
    h("p", { class: "line-up" }, h("strong", {}, x.home_team ?? "?"), h("strong", { class: "goals" }, known ? `${x.home_goals} : ${x.away_goals}` : "– : –"), h("strong", {}, x.away_team ?? "?")),
    h("p", { class: "dim" }, [x.state, ...parts, x.result_info].filter(Boolean).join(" · ")));
}

const value = (item) => (item === null || item === undefined ? "–" : typeof item === "boolean" ? (item ? "yes" : "no") : typeof item === "object" ? JSON.stringify(item) : TIME.test(item) ? minute(item) : String(item));

// Fetched when somebody opens it, once.
function lazy(id, label, load, open = false) {
  const body = h("div", { class: "stack tight" });
  const details = h("details", { id, class: "section" }, h("summary", {}, label), body);
  let begun = false;
  details.addEventListener("toggle", async () => {
    if (!details.open || begun) return;
    begun = true;
    body.replaceChildren(h("p", { class: "dim" }, "Loading…"));
    try {
      body.replaceChildren(await load());
    } catch (error) {
      begun = false;
      body.replaceChildren(h("p", { class: "bad", role: "alert" }, `${error.message} ${error.hint ?? ""}`));
    }
  });
  details.open = open;
  return details;
}

function section(x, s) {
  const name = s.section;
  if (!s.has_table) return h("p", { class: "dim", id: `section-${name}` }, `${title(name)}: ${count(s.sent)} in the payload, which has no table of its own.`);
  const differs = s.sent !== null && s.sent !== s.stored ? `, ${count(s.sent)} in the payload` : "";
  if (!s.stored) return h("p", { class: "dim", id: `section-${name}` }, `${title(name)}: no row${differs}`);
  return lazy(`section-${name}`, `${title(name)}: ${count(s.stored)} row${s.stored === 1 ? "" : "s"}${differs}`, async () => {
    const { rows } = await get(`fixtures/${x.fixture_id}/sections/${name}`);
    const filled = Object.keys(rows[0] ?? {}).filter((key) => rows.some((row) => row[key] !== null));
    return rows.length ? stepped(title(name), filled.map((key) => [words(key), (row) => value(row[key])]), rows) : empty("No row any more.", "Reload the page.");
  }, OPEN.has(name));
}

function states(x) {
  const facts = [
    ["Kick-off", minute(x.starting_at)], ["Stage", [x.stage, x.round].filter(Boolean).join(", ") || "–"], ["Venue", x.venue ?? "–"],
    ["Quality", x.quality_score === null ? "–" : `${x.quality_score} / 100`],
    ["First read", when(x.first_fetched_at)], ["Last read", when(x.last_fetched_at)], ["Last change", when(x.last_changed_at)],
    ["Next read", x.next_due_at ? when(x.next_due_at) : "none planned", words(x.due_reason)],
    ["Reads without news", count(x.unchanged_reads)],
  ];
  return h("dl", { class: "figures" }, facts.map(([label, shown, sub]) => h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, shown, sub ? h("small", {}, sub) : null))));
}

function troubles(x) {
  return [
    x.last_error, x.suspected_sections ? `It came without ${x.suspected_sections}; it is read again before that is believed.` : null,
    x.missing_reads ? `Requested ${count(x.missing_reads)} times in a row and not returned.` : null,
    x.deleted_at ? "The provider has deleted it." : x.index_missing_at ? "The season's index does not list it any more." : null,
  ].filter(Boolean).map((text) => h("p", { class: "reason bad" }, text));
}

export async function fixture({ parts, signal, refresh, go }) {
  const id = parts[0] ?? "";
  if (!/^\d+$/.test(id)) return card("Fixture", fixtureForm(go), h("p", { class: "dim" }, "Or choose one from the list of a season: Coverage, then a season."));
  const reads = size(`reads ${id}`, 20);
  const corrections = size(`changes ${id}`, 20);
  const x = await get(`fixtures/${id}`, { reads, corrections }, signal);
  const season = `${x.league_name ?? x.league_id} ${x.season_name ?? x.season_id}`;
  return h("div", { class: "stack" },
    h("p", { class: "crumbs" }, h("a", { href: "#/coverage" }, "Coverage"), " / ", h("a", { href: `#/season/${x.league_id}/${x.season_id}` }, season), ` / ${x.name ?? id}`),
    card(x.name ?? `Fixture ${id}`, score(x),
      h("p", { class: "row wrap" }, badge(x.collection_status), h("span", { class: "dim" }, `fixture ${id}`), h("a", { href: `#/logs${query({ fixture_id: id })}` }, "its logs"),
        x.replaced_by ? h("span", {}, "replaced by ", fixtureLink(x.replaced_by)) : null),
      troubles(x), states(x)),
    card("Sections", h("div", { class: "stack tight" }, x.sections.map((s) => section(x, s)))),
    card("Payload", x.payload_at ? lazy("payload", "The newest payload as it was stored (JSON)", async () => {
      const found = await get(`fixtures/${id}/payload`);
      return h("div", {}, h("p", { class: "dim" }, "Stored ", when(found.collected_at), `, with ${found.includes.join(", ") || "no includes"}`), h("pre", {}, found.payload));
    }) : empty("Nothing was read yet.", "Its season's index lists it; its payload comes with the first read.")),
    card("What the provider changed", x.changes.rows.length ? table("History of changes", changeColumns.filter(([label]) => label !== "Season" && label !== "Fixture"), x.changes.rows) : empty("Nothing after the fact.", "Each difference to what was stored before is noted here."),
      footer("changes", { name: `changes ${id}`, first: 20, shown: x.changes.rows.length, total: x.changes.total, refresh, older: `#/corrections${query({ fixture_id: id, before: x.changes.next })}` })),
    card("Reads", x.reads.length ? table("Every read and its reason", [
      ["When", (r) => (r.at ? when(r.at) : "planned")], ["Why", (r) => `${words(r.reason)}${r.urgent ? " (urgent)" : ""}`], ["Result", (r) => badge(r.status)],
      ["Note", (r) => r.error ?? ""], ["Run", (r) => h("a", { href: `#/run/${encodeURIComponent(r.execution_id)}` }, r.execution_id)]], x.reads) : empty("No read is stored.", "The plans of old runs are deleted after a while; the times above stay."),
      footer("reads", { name: `reads ${id}`, first: 20, shown: x.reads.length, total: x.reads[0]?.total, refresh, longest: 2000 })));
}
