// The page's own style and script, served as files so that the content security policy can forbid anything inline.

export const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d8dde3, #353b43); --soft: light-dark(#5b6670, #a5afba);
  --good: light-dark(#13733b, #5fd08b); --busy: light-dark(#0b5cad, #7bb8f5); --bad: light-dark(#b3261e, #ff8a80);
  --card: light-dark(#ffffff, #1b1f24); }
* { box-sizing: border-box; }
body { margin: 0; background: light-dark(#f3f5f7, #111417); color: light-dark(#161b20, #e8ecf0);
  font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; }
header { display: flex; justify-content: space-between; flex-wrap: wrap; gap: .25rem 1rem; color: var(--soft); }
header p { margin: 0; }
.device { font-weight: 600; color: inherit; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem; margin: 1rem 0; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; }
.good .health { color: var(--good); } .busy .health { color: var(--busy); } .bad .health { color: var(--bad); }
.trouble { border-color: var(--bad); border-width: 2px; } .trouble h2 { color: var(--bad); }
.wish, .code, time, .name { color: var(--soft); }
.code { font-size: .85rem; overflow-wrap: anywhere; }
code { font-size: .85rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: .5rem 0 0; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.attempt { border-left: .25rem solid var(--busy); padding-left: .75rem; margin: .75rem 0; }
.attempt ol { margin: 0; padding-left: 1.25rem; } progress, meter { width: 100%; min-width: 4rem; }
details { border-top: 1px solid var(--line); padding: .5rem 0; } summary { cursor: pointer; }
details.committed summary { color: var(--good); } details.rolled-back summary, details.rejected summary { color: var(--bad); }
table { width: 100%; border-collapse: collapse; } th { text-align: left; font-weight: 400; white-space: nowrap; }
td, th { padding: .15rem .5rem .15rem 0; vertical-align: middle; } tr.over td { color: var(--bad); }
@media (max-width: 30rem) { td:last-child { display: none; } h1 { font-size: 1.35rem; } }
`;

/** Replaces the page's main part when the agent says something moved. Without it, the page is read by reloading it. */
export const SCRIPT = `
const refresh = async () => {
  try {
    const answer = await fetch("/", { cache: "no-store" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    const main = document.querySelector("main");
    const opened = [...main.querySelectorAll("details")].map((one) => one.open);
    const isSameLength = opened.length === fresh.querySelectorAll("details").length;
    if (isSameLength) [...fresh.querySelectorAll("details")].forEach((one, index) => { one.open = opened[index]; });
    main.replaceWith(fresh);
  } catch {}
};
new EventSource("/events").addEventListener("message", refresh);
setInterval(refresh, 15000);
`;
