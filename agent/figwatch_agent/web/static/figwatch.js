// Keeps an open page current. Without it every page is whole, and as old as its last load.
(() => {
  "use strict";
  const page = document.body.dataset, light = document.getElementById("live"), words = document.getElementById("live-text");
  const fields = "input:not([type=hidden]),textarea,select", held = new Map();
  let at = Date.parse(document.querySelector("#live time").dateTime), off = Date.now() - at, wait = 1000, heard = 0, source, timer;

  const typing = part => [...part.querySelectorAll(fields)].some(f => f === document.activeElement ||
    (f.options ? [...f.options].some(o => o.selected !== o.defaultSelected) && f.selectedIndex > 0 : f.value !== f.defaultValue));
  const marked = part => { const s = getSelection(); return s && !s.isCollapsed && part.contains(s.anchorNode); };

  function show(part, digest, html) {
    const focus = part.contains(document.activeElement) && document.activeElement.id;
    const open = [...part.querySelectorAll("details[open]")].map(d => d.id);
    const moved = [...part.querySelectorAll(".scroll")].map(s => s.scrollLeft);
    part.innerHTML = html;
    part.dataset.digest = digest;
    open.forEach(id => { const d = id && document.getElementById(id); if (d) d.open = true; });
    part.querySelectorAll(".scroll").forEach((s, n) => { s.scrollLeft = moved[n] || 0; });
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  }

  function settle() {
    held.forEach(([digest, html], name) => {
      const part = document.getElementById("part-" + name);
      if (part && !typing(part) && !marked(part)) { held.delete(name); show(part, digest, html); }
    });
  }

  function ages() {
    const now = Date.now() - off;
    document.querySelectorAll("time.age").forEach(t => {
      const s = Math.max(0, Math.floor((now - Date.parse(t.dateTime)) / 1000));
      const [n, unit] = s < 60 ? [s, "s"] : s < 7200 ? [s / 60, "min"] : s < 172800 ? [s / 3600, "h"] : [s / 86400, "d"];
      const text = s ? Math.floor(n) + " " + unit + " ago" : "just now";
      if (t.textContent !== text) t.textContent = text;
    });
    if (source && Date.now() - heard > 20000) broken();
  }

  const clock = ms => new Date(ms).toISOString().slice(11, 19) + " UTC";
  function alive(data) {
    heard = Date.now(); wait = 1000; at = Date.parse(data.at); off = heard - at;
    light.className = "live on"; words.textContent = "Live, " + clock(at);
  }

  function broken() {
    source.close(); source = null;
    light.className = "live off"; words.textContent = "Not live since " + clock(at);
    timer = setTimeout(connect, wait * (1 + Math.random()));
    wait = Math.min(wait * 2, 30000);
  }

  function connect() {
    clearTimeout(timer);
    const have = [...document.querySelectorAll("[data-part]")].map(p => p.dataset.part + ":" + (held.get(p.dataset.part)?.[0] || p.dataset.digest));
    source = new EventSource("/live?" + new URLSearchParams({ page: page.live, assets: page.assets, have: have.join(".") }));
    heard = Date.now();
    source.onerror = broken;
    source.addEventListener("beat", e => alive(JSON.parse(e.data)));
    source.addEventListener("reload", () => { if (![...document.querySelectorAll("[data-part]")].some(typing)) location.reload(); });
    source.addEventListener("page", e => {
      const data = JSON.parse(e.data);
      alive(data);
      document.title = data.title;
      document.getElementById("icon").href = "/icon/" + data.icon + ".svg";
      for (const name in data.parts) held.set(name, data.parts[name]);
      settle();
      const say = document.getElementById("announce");
      if (say.dataset.said !== data.say) say.textContent = say.dataset.said = data.say;
      ages();
    });
  }

  if (page.live && window.EventSource) {
    connect();
    setInterval(ages, 1000);
    addEventListener("focusout", () => setTimeout(settle));
    addEventListener("pageshow", e => { if (e.persisted) { source?.close(); connect(); } });
    addEventListener("pagehide", () => source?.close());
  }
})();
