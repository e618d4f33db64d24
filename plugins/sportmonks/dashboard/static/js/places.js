// Where somebody is in a view: what has the focus, which details are open, how far a table is scrolled sideways.
// A refresh puts new elements in the old ones' place, and nobody should notice.

// The same element before and after: by id, by where a link leads, by chunk, else by its name.
const mark = (e) => e.id || e.dataset.chunk || `${e.tagName} ${e.getAttribute("href") ?? e.getAttribute("aria-label") ?? e.textContent}`;

const alike = (view, selector, key) => [...view.querySelectorAll(selector)].filter((e) => mark(e) === key);
const FOCUSABLE = "a, button, input, select, summary, [tabindex]";

export function remember(view) {
  // Somebody at work in Airflow's page around this one must not be called back here.
  const active = document.hasFocus() && view.contains(document.activeElement) && document.activeElement !== view ? document.activeElement : null;
  const key = active && mark(active);
  const around = active?.closest("article[id]")?.id;
  const place = active && alike(view, FOCUSABLE, key).indexOf(active);
  const open = [...view.querySelectorAll("details[open][id]")].map((e) => e.id);
  const scrolled = [...view.querySelectorAll(".scroll")].filter((e) => e.scrollLeft || e.scrollTop).map((e) => [mark(e), e.scrollLeft, e.scrollTop]);
  return () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    for (const [name, left, top] of scrolled) alike(view, ".scroll", name)[0]?.scrollTo(left, top);
    if (!active) return;
    const found = alike(view, FOCUSABLE, key);
    (found[place] ?? found[0] ?? document.getElementById(around) ?? view).focus({ preventScroll: true });
  };
}
