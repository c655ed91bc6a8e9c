// Keeps an open page current. Without it every page is whole, and as old as its last load.
(() => {
  const doc = document, id = name => doc.getElementById(name), all = (css, root = doc) => [...root.querySelectorAll(css)];
  const { live, assets } = doc.body.dataset, held = new Map(), clock = ms => new Date(ms).toISOString().slice(11, 19) + " UTC";
  let at = Date.parse(doc.querySelector("#live time").dateTime), off = Date.now() - at, wait = 1e3, heard, source;

  // What somebody types or marks is left alone until they are done.
  const busy = part => part.contains(getSelection().isCollapsed ? null : getSelection().anchorNode) || all("input,select", part)
    .some(f => f === doc.activeElement || (f.options ? !f.options[f.selectedIndex].defaultSelected && f.selectedIndex : f.value !== f.defaultValue));

  function settle() {
    held.forEach(([digest, html], name) => {
      const part = id("part-" + name), focus = part.contains(doc.activeElement) && doc.activeElement;
      if (busy(part)) return;
      const use = () => all("a,button,summary", part), nth = use().indexOf(focus), moved = all(".scroll", part).map(s => s.scrollLeft);
      const details = all("details", part);
      held.delete(name);
      part.innerHTML = html;
      part.dataset.digest = digest;
      details.forEach(d => id(d.id)?.toggleAttribute("open", d.open));
      all(".scroll", part).forEach((s, n) => { s.scrollLeft = moved[n]; });
      if (focus) use()[nth]?.focus({ preventScroll: true });
    });
  }

  function tick() {
    all("time.age").forEach(t => {
      const s = Math.max(0, (Date.now() - off - Date.parse(t.dateTime)) / 1e3);
      const [n, unit] = s < 60 ? [s, "s"] : s < 7200 ? [s / 60, "min"] : s < 172800 ? [s / 3600, "h"] : [s / 86400, "d"];
      t.textContent = s < 1 ? "just now" : `${n | 0} ${unit} ago`;
    });
    if (source && Date.now() - heard > 2e4) lost();
  }

  function say(state, text) { id("live").className = "live " + state; id("live-text").textContent = text; }

  function lost() {
    source.close();
    source = null;
    say("off", "Not live since " + clock(at));
    setTimeout(follow, wait * (1 + Math.random()));
    wait = Math.min(wait * 2, 3e4);
  }

  function hear(event) {
    const data = JSON.parse(event.data);
    heard = Date.now(); at = Date.parse(data.at); off = heard - at; wait = 1e3;
    say("on", "Live, " + clock(at));
    if (!data.parts) return;
    doc.title = data.title;
    id("icon").href = `/icon/${data.icon}.svg`;
    Object.entries(data.parts).forEach(part => held.set(...part));
    settle();
    const told = id("announce");
    if (told.title !== data.say) told.textContent = told.title = data.say;
    tick();
  }

  function follow() {
    const have = all("[data-part]").map(({ dataset: d }) => d.part + ":" + (held.get(d.part)?.[0] || d.digest)).join(".");
    source = new EventSource("/live?" + new URLSearchParams({ page: live, assets, have }));
    heard = Date.now();
    source.onerror = lost;
    const on = (name, act) => source.addEventListener(name, act);
    on("beat", hear);
    on("page", hear);
    on("again", () => { source.close(); follow(); });
    on("reload", () => location.reload());
  }

  if (!live) return;
  follow();
  setInterval(tick, 1e3);
  addEventListener("focusout", () => setTimeout(settle));
  addEventListener("pageshow", e => e.persisted && location.reload());
})();
