// One league: its seasons, its newest runs, and what can be started for it.
import { h, card, count, when, seasonBadge, empty, percent, table, airflowLink, bar } from "./dom.js";
import { get, Trouble } from "./api.js";
import { runColumns } from "./runs.js";
import { startLink } from "./actions.js";

export async function league({ parts, signal }) {
  const id = Number(parts[0]);
  const [form, coverage] = await Promise.all([get("form", { league_id: [id] }, signal), get("coverage", {}, signal)]);
  const rows = coverage.rows.filter((row) => row.league_id === id);
  const [known] = form.leagues;
  const name = known?.name ?? rows[0]?.league_name;
  if (!name) throw new Trouble(404, `League ${parts[0]} is not followed.`, "Choose one in Coverage.");
  const runs = known ? (await get("executions", { dag_id: known.dag_id, limit: 10 }, signal)).rows : [];
  return h("div", { class: "stack" },
    h("p", { class: "crumbs" }, h("a", { href: "#/coverage" }, "Coverage"), ` / ${name}`),
    card(name, h("p", { class: "row wrap" }, known ? startLink({ leagues: [id] }) : h("span", { class: "dim" }, "This league is not followed any more."), known ? airflowLink(known.dag_id) : null)),
    card("Seasons", rows.length ? table("Seasons", [
      ["Season", (c) => h("a", { href: `#/season/${c.league_id}/${c.season_id}` }, c.season_name || c.season_id)], ["Status", (c) => seasonBadge(c)],
      ["Collected", (c) => h("span", { class: "done" }, bar(c.collected_fixtures, c.total_fixtures, `${c.season_name}: ${percent(c.collected_fixtures, c.total_fixtures)} %`), ` ${count(c.collected_fixtures)} of ${count(c.total_fixtures)}`)],
      ["Due", (c) => count(c.due_fixtures), "num"], ["Failed", (c) => count(c.failed_fixtures), "num"], ["Last collected", (c) => when(c.last_collected_at)]], rows) : empty("No season has been read yet.", "Estimate it: that reads the season indexes.")),
    card("Newest runs", runs.length ? table("Newest runs", runColumns, runs) : empty("No run yet.", "")));
}
