// The heat map league x season, and one season in detail.
import { h, card, count, duration, when, minute, date, bar, badge, rereadFailed, seasonBadge, stateWords, empty, percent, table, downloads } from "./dom.js";
import { get, query } from "./api.js";
import { changeColumns } from "./changes.js";
import { choice, startLink } from "./actions.js";
import { fixtureForm, fixtureLink } from "./fixture.js";
import { footer, size } from "./lists.js";

// Leagues of which a season is so; the server knows what that means.
const ONLY = [["", "all leagues"], ["failed", "failed"], ["stale", "stale"], ["suspected", "suspected"], ["unread", "never read"], ["open", "incomplete"]];
const LONGEST_NAME = 200;
const MEASURES = { collected: "collected", settled: "settled", due: "due" };

const share = (c, measure) => percent(measure === "settled" ? c.settled_fixtures : measure === "due" ? c.due_fixtures : c.collected_fixtures, c.total_fixtures);

function step(value, measure) {
  if (measure === "due") return value === 0 ? 5 : value < 5 ? 4 : value < 25 ? 3 : value < 60 ? 2 : 1;
  return value >= 100 ? 5 : value >= 90 ? 4 : value >= 60 ? 3 : value >= 20 ? 2 : value > 0 ? 1 : 0;
}

function cell(c, measure) {
  if (!c) return h("td", { class: "none" });
  const value = share(c, measure);
  const flags = [c.state === "FAILED" ? "failed" : "", c.stale ? "stale" : "", c.suspected_fixtures || c.index_suspected_at ? "suspected" : "", c.state === "RUNNING" ? "running" : "", rereadFailed(c) ? "reread" : ""].filter(Boolean);
  const marks = { failed: "✕", stale: "◷", suspected: "?", running: "▶", reread: "↻" };
  const words = (flag) => (flag === "reread" ? "last re-read failed" : flag);
  const figures = c.total_fixtures ? `${value} % ${MEASURES[measure]}, ${count(c.collected_fixtures)} of ${count(c.total_fixtures)} collected, ${count(c.due_fixtures)} due` : stateWords(c);
  const label = `${c.league_name} ${c.season_name}: ${figures}${flags.map((flag) => `, ${words(flag)}`).join("")}`;
  return h("td", {}, h("a", { class: `heat ${c.total_fixtures ? `s${step(value, measure)}` : "unread"} ${flags.join(" ")}`, href: `#/season/${c.league_id}/${c.season_id}`, "aria-label": label, title: label, tabindex: "-1", "data-chunk": c.chunk_id },
    c.total_fixtures ? `${value}` : "–", flags.map((flag) => h("span", { class: "flag", "aria-hidden": "true" }, marks[flag]))));
}

// One stop for the Tab key, arrows within: 490 cells must not be 490 stops.
function arrows(grid) {
  const cells = () => [...grid.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("td")]);
  const first = grid.querySelector("a.heat");
  if (first) first.tabIndex = 0;
  grid.addEventListener("focusin", (event) => {
    if (!event.target.matches("a.heat")) return;
    for (const old of grid.querySelectorAll("a.heat[tabindex='0']")) old.tabIndex = -1;
    event.target.tabIndex = 0;
  });
  grid.addEventListener("keydown", (event) => {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const move = moves[event.key];
    const here = event.target.closest("td");
    if (!move || !here) return;
    event.preventDefault();
    const rows = cells();
    let r = rows.findIndex((row) => row.includes(here));
    let k = rows[r].indexOf(here);
    for (;;) {
      r += move[0]; k += move[1];
      const next = rows[r]?.[k];
      if (!next) return;
      const link = next.querySelector("a");
      if (!link) continue;
      link.focus();
      return;
    }
  });
  return grid;
}

export async function coverage({ search, signal, go }) {
  const league = (search.get("league") ?? "").slice(0, LONGEST_NAME);
  const only = ONLY.some(([value]) => value === search.get("only")) ? search.get("only") : "";
  const { rows } = await get("coverage", { league, only }, signal);
  const measure = Object.hasOwn(MEASURES, search.get("show") ?? "") ? search.get("show") : "collected";
  if (!rows.length && !league && !only) return card("Coverage", empty("No league is known yet.", "Run the DAG sportmonks_catalog: it reads the leagues and seasons of your subscription."));
  const leagues = new Map();
  for (const c of rows) {
    if (!leagues.has(c.league_id)) leagues.set(c.league_id, { id: c.league_id, name: c.league_name || `League ${c.league_id}`, seasons: new Map() });
    const { seasons } = leagues.get(c.league_id);
    const name = c.season_name || String(c.season_id);
    seasons.set(seasons.has(name) ? `${name} (${c.season_id})` : name, c);
  }
  const wanted = [...leagues.values()];
  const seasons = [...new Set(wanted.flatMap((l) => [...l.seasons.keys()]))].sort().reverse();
  const change = () => go(`#/coverage${query({ show: document.getElementById("measure").value, only: document.getElementById("only").value, league: document.getElementById("league").value })}`);
  const grid = h("table", { class: "heatmap" }, h("caption", { class: "hidden" }, `Share of fixtures ${MEASURES[measure]}, in percent, by league and season`),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "League"), seasons.map((s) => h("th", { scope: "col" }, s)))),
    h("tbody", {}, wanted.map((l) => h("tr", {}, h("th", { scope: "row" }, h("a", { href: `#/league/${l.id}` }, l.name)), seasons.map((s) => cell(l.seasons.get(s), measure))))));
  const pick = (id, choices, current) => h("select", { id, onchange: change }, choices.map(([value, label]) => h("option", { value, selected: value === current }, label)));
  return h("div", { class: "stack" }, card("Coverage",
    h("div", { class: "filters" },
      h("label", {}, "Show ", pick("measure", [["collected", "collected"], ["settled", "settled (no read within 60 days)"], ["due", "due now"]], measure)),
      h("label", {}, "Only ", pick("only", ONLY, only)),
      h("label", {}, "League ", h("input", { id: "league", type: "search", value: league, maxlength: LONGEST_NAME, placeholder: "name", onchange: change })),
      downloads("coverage", query({ league, only }))),
    wanted.length ? choice(grid) : null,
    wanted.length ? h("div", { class: "scroll", role: "region", "aria-label": "Coverage, scrolls sideways", tabindex: "-1" }, arrows(grid)) : empty("No league matches.", "Widen the filters."),
    h("p", { class: "legend" }, measure === "due" ? "Percent of fixtures due: " : `Percent of fixtures ${MEASURES[measure]}: `, [["0", "s0"], ["1+", "s1"], ["20+", "s2"], ["60+", "s3"], ["90+", "s4"], ["all", "s5"]].map(([label, kind]) => (measure === "due" ? null : h("span", { class: `heat ${kind}` }, label))),
      measure === "due" ? [["60+", "s1"], ["25+", "s2"], ["5+", "s3"], ["some", "s4"], ["none", "s5"]].map(([label, kind]) => h("span", { class: `heat ${kind}` }, label)) : null,
      h("span", { class: "heat unread" }, "–"), h("span", {}, "never read"), h("span", {}, "✕ failed"), h("span", {}, "↻ last re-read failed"), h("span", {}, "◷ stale"), h("span", {}, "? suspected to lack data"), h("span", {}, "▶ running"), h("span", { class: "dim" }, "Arrow keys move, Enter opens.")),
    fixtureForm(go)));
}

const facts = (pairs) => h("dl", { class: "figures" }, pairs.map(([label, value, sub]) => h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value, sub ? h("small", {}, sub) : null))));

export async function season({ parts, signal, refresh }) {
  const key = `${Number(parts[0])}/${Number(parts[1])}`;
  const all = `all ${key}`;
  const [x, { rows: every }] = await Promise.all([
    get(`chunks/${key}`, { fixtures: size(`need ${key}`, 50), runs: size(`runs ${key}`, 20) }, signal),
    get(`chunks/${key}/fixtures`, { limit: size(all, 20) }, signal)]);
  return h("div", { class: "stack" },
    h("p", { class: "crumbs" }, h("a", { href: "#/coverage" }, "Coverage"), ` / ${x.league_name} ${x.season_name}`),
    card(`${x.league_name} ${x.season_name}`,
      h("p", { class: "row wrap" }, seasonBadge(x), h("a", { href: `#/logs${query({ chunk_id: x.chunk_id })}` }, "its logs"), x.last_execution_id ? h("a", { href: `#/run/${encodeURIComponent(x.last_execution_id)}` }, "newest run") : null, startLink({ chunks: [x.chunk_id] })),
      x.error_message ? h("p", { class: `reason ${rereadFailed(x) ? "attention" : "bad"}` }, rereadFailed(x) ? "Nothing is missing, but the newest run failed: " : null, x.error_message) : null,
      bar(x.collected_fixtures, x.total_fixtures, "Collected"),
      facts([["Collected", `${percent(x.collected_fixtures, x.total_fixtures)} %`, `${count(x.collected_fixtures)} of ${count(x.total_fixtures)}`], ["Settled", count(x.settled_fixtures), "no read within 60 days"], ["Due now", count(x.due_fixtures)], ["Failed or missing", count(x.failed_fixtures)], ["Suspected to lack data", count(x.suspected_fixtures)], ["Mean quality", x.quality === null ? "–" : `${x.quality} / 100`], ["Last collected", when(x.last_collected_at)], ["Index read", when(x.indexed_at), x.index_suspected_at ? `suspected ${count(x.doubtful_indexes)}×, read again before it is believed` : null], ["Next due", x.next_due_at ? when(x.next_due_at) : "–"], ["First match", date(x.first_match)], ["Last match", date(x.last_match)]])),
    x.checks.length ? card("Quality checks", h("ul", { class: "plainlist" }, x.checks.map((c) => h("li", {}, h("span", { class: c.success ? "ok" : "bad" }, c.success ? "✓ " : "✕ "), h("strong", {}, c.name.replaceAll("_", " ")), c.notes ? `: ${c.notes}` : "", c.required ? "" : h("span", { class: "dim" }, " (a hint only)"))))) : null,
    card("Fixtures that need something", x.fixtures.length ? table("Fixtures that need something", [
      ["Fixture", (f) => fixtureLink(f.fixture_id, f.name)],
      ["Kick-off", (f) => minute(f.starting_at)], ["State", (f) => f.state ?? "–"], ["Collected", (f) => f.collection_status.toLowerCase()],
      ["Why due", (f) => (f.due_reason ?? "").replaceAll("_", " ")], ["Error", (f) => f.last_error ?? ""]], x.fixtures) : x.state === "UNREAD" ? empty("Not known yet.", "The season's index was never read.") : empty("Nothing: every fixture is where it should be.", ""),
      footer("need", { name: `need ${key}`, first: 50, shown: x.fixtures.length, total: x.fixtures[0]?.total, refresh, longest: 2000 })),
    card("Fixtures", every.length ? table("Fixtures of this season", [
      ["Fixture", (f) => fixtureLink(f.fixture_id, f.name)], ["Kick-off", (f) => minute(f.starting_at)], ["State", (f) => f.state ?? "–"],
      ["Score", (f) => (f.home_goals === null || f.away_goals === null ? "–" : `${f.home_goals}:${f.away_goals}`), "num"],
      ["Collected", (f) => (f.replaced_by ? "replaced by another" : f.collection_status.toLowerCase())], ["Last read", (f) => when(f.last_fetched_at)],
      ["Next read", (f) => (f.due ? h("strong", {}, "due") : f.next_due_at ? when(f.next_due_at) : "–")]], every) : empty("No fixture is known.", "The season's index lists them."),
      footer("fixtures", { name: all, first: 20, shown: every.length, total: every[0]?.total, refresh, longest: 2000 })),
    card("Runs of this season", x.runs.length ? table("Runs of this season", [
      ["Run", (r) => h("a", { href: `#/run/${encodeURIComponent(r.execution_id)}` }, r.execution_id)], ["Status", (r) => badge(r.status)], ["Started", (r) => when(r.started_at)],
      ["Duration", (r) => duration(r.duration_seconds), "num"], ["Planned", (r) => count(r.planned), "num"], ["Saved", (r) => count(r.saved), "num"], ["Same", (r) => count(r.unchanged), "num"], ["Failed", (r) => count(r.failed), "num"], ["Calls", (r) => count(r.api_calls), "num"]], x.runs) : empty("Not collected yet.", "The next run of the league's DAG takes it when something is due."),
      footer("season-runs", { name: `runs ${key}`, first: 20, shown: x.runs.length, total: x.runs[0]?.total, refresh })),
    card("Newest corrections", x.changes.length ? table("Newest corrections", changeColumns.filter(([label]) => label !== "Season"), x.changes) : empty("The provider has changed nothing after the fact.", ""),
      x.changes_total > x.changes.length ? h("p", { class: "pager" }, h("span", { class: "dim" }, `${count(x.changes.length)} of ${count(x.changes_total)}`), h("a", { class: "button", href: `#/corrections${query({ league_id: x.league_id, season_id: x.season_id })}` }, "More")) : null));
}
