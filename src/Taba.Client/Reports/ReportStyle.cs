namespace Taba.Client.Reports;

/// <summary>The page's style, for light and dark screens and for paper.</summary>
static class ReportStyle
{
    public const string Css = """
        :root { color-scheme: light dark; --ink: #1d2129; --soft: #5c6470; --paper: #fbfbfa; --card: #ffffff; --rule: #e2e4e8; --bar: #2f6fb3; --grey: #a7aeb8; --mark: #b4431f; --line1: #b07a12; --line2: #2f8f5b; --line3: #8a4fb0; --line4: #c03d6c; --line5: #5c6470; }
        @media screen and (prefers-color-scheme: dark) { :root { --ink: #e7e9ec; --soft: #9aa3af; --paper: #14171b; --card: #1b1f25; --rule: #2d333c; --bar: #6ea8e0; --grey: #5f6875; --mark: #f0895f; --line1: #d9a441; --line2: #62c08e; --line3: #c08de0; --line4: #ec7fa6; --line5: #aab3be; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 66rem; padding: 2.5rem 1.25rem 5rem; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", "Helvetica Neue", sans-serif; }
        h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; letter-spacing: -.01em; }
        h2 { font-size: 1.3rem; margin: 3rem 0 .6rem; }
        h3 { font-size: 1.05rem; margin: 2.2rem 0 .5rem; }
        h4 { margin: 1.2rem 0 .3rem; font-size: .95rem; }
        p { margin: .5rem 0; max-width: 52rem; }
        .soft, small, figcaption, summary { color: var(--soft); }
        a { color: inherit; text-decoration-color: var(--grey); text-underline-offset: .2em; }
        .card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 1.1rem 1.25rem; margin: .9rem 0; }
        .warn { border-left: 4px solid var(--mark); }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: .88rem; }
        th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--rule); text-align: left; white-space: nowrap; }
        th { font-weight: 600; color: var(--soft); white-space: normal; vertical-align: bottom; }
        tbody tr:last-child td { border-bottom: 0; }
        .number { text-align: right; font-variant-numeric: tabular-nums; }
        .card h3 { margin-top: 0; }
        .dots { display: grid; grid-template-columns: max-content minmax(6rem, 1fr) max-content; gap: .35rem .8rem; align-items: center; max-width: 46rem; font-size: .84rem; }
        .dot-value, .ends { font-variant-numeric: tabular-nums; }
        .track { position: relative; height: 1.25rem; border-bottom: 1px solid var(--rule); }
        .track i { position: absolute; }
        .dot { top: .3rem; width: .65rem; height: .65rem; margin-left: -.325rem; border-radius: 50%; background: var(--bar); }
        .reference { background: var(--grey); }
        .range { top: .525rem; height: .2rem; border-radius: .1rem; background: var(--bar); opacity: .45; }
        .range.reference { background: var(--grey); opacity: .7; }
        td.number small { display: block; }
        .track .floor { top: -.35rem; bottom: 0; border-left: 2px dashed var(--mark); margin-left: -1px; }
        .ends { display: flex; justify-content: space-between; color: var(--soft); font-size: .75rem; }
        .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 0 .9rem; }
        .figure { display: block; width: 100%; max-width: 460px; height: auto; font-variant-numeric: tabular-nums; }
        .figure .word { fill: var(--ink); }
        .figure .label { fill: var(--soft); }
        .figure .grid { stroke: var(--rule); }
        .figure .reference { stroke: var(--soft); }
        .figure .floor { stroke: var(--mark); }
        .figure .band { fill: var(--mark); }
        .figure .stroke, .figure .whisker { stroke: var(--line); }
        .figure .mark { fill: var(--line); }
        .s0 { --line: var(--bar); } .s1 { --line: var(--line1); } .s2 { --line: var(--line2); } .s3 { --line: var(--line3); } .s4 { --line: var(--line4); } .s5 { --line: var(--line5); }
        .figure + p { font-size: .88rem; }
        .strip { width: auto; }
        .strip th { font-size: .75rem; font-weight: 400; text-align: center; border: 0; padding: .1rem .3rem; white-space: normal; }
        .strip tbody th { text-align: right; }
        .strip td { border: 0; padding: .12rem; }
        .strip img { display: block; width: 96px; image-rendering: pixelated; border-radius: 3px; }
        .run { border-bottom: 1px solid var(--rule); padding: .3rem 0; }
        figure { margin: .8rem 0 1.2rem; }
        figure img { display: block; max-width: 100%; image-rendering: pixelated; border-radius: 4px; }
        figcaption { font-size: .88rem; margin-bottom: .3rem; }
        details { margin: .8rem 0; }
        summary { cursor: pointer; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; font-size: .86rem; }
        dt { color: var(--soft); }
        dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, "Cascadia Mono", Menlo, monospace; }
        @media (max-width: 640px) {
          body { padding: 1.2rem .8rem 3rem; font-size: 15px; }
          .card { padding: .8rem .8rem; }
          .dots { grid-template-columns: max-content 1fr; grid-auto-flow: row dense; gap: .1rem .6rem; }
          .dots > span:empty { display: none; }
          .dot-label { grid-column: 1; }
          .dot-value { grid-column: 2; text-align: right; }
          .track, .ends { grid-column: 1 / -1; }
          .strip img { width: 64px; }
          dl { grid-template-columns: 1fr; }
          dd { margin: 0 0 .3rem .8rem; }
        }
        @media print {
          @page { margin: 14mm; }
          :root { color-scheme: light; --paper: #ffffff; font-size: 12px; }
          body { max-width: none; padding: 0; font-size: 1rem; }
          .run { display: none; }
          .card, tr, figure { break-inside: avoid; }
          h2, h3 { break-after: avoid; }
          .pair { grid-template-columns: 1fr 1fr; }
          .scroll { overflow: visible; }
          table { font-size: .8rem; }
          th, td { padding: .25rem .35rem; white-space: normal; }
          .strip th { font-size: .7rem; }
          .strip img { width: auto; max-width: 100%; }
        }
        """;
}
