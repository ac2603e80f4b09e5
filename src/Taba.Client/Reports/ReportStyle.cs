namespace Taba.Client.Reports;

/// <summary>The page's style, for light and dark screens and for paper.</summary>
static class ReportStyle
{
    public const string Css = """
        :root { color-scheme: light dark; --ink: #1d2129; --soft: #5c6470; --paper: #fbfbfa; --card: #ffffff; --rule: #e2e4e8; --bar: #2f6fb3; --grey: #a7aeb8; --mark: #b4431f; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e7e9ec; --soft: #9aa3af; --paper: #14171b; --card: #1b1f25; --rule: #2d333c; --bar: #6ea8e0; --grey: #5f6875; --mark: #f0895f; } }
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
        th { font-weight: 600; color: var(--soft); }
        tbody tr:last-child td { border-bottom: 0; }
        .number { text-align: right; font-variant-numeric: tabular-nums; }
        .chart { display: block; width: 100%; max-width: 720px; height: auto; font-size: 13px; }
        .chart text { fill: var(--ink); }
        .chart .bar { fill: var(--bar); }
        .chart .reference { fill: var(--grey); }
        .chart .floor { stroke: var(--mark); stroke-width: 1.5; stroke-dasharray: 5 4; }
        .chart .floor-label { fill: var(--mark); font-size: 12px; }
        .chart .value { font-variant-numeric: tabular-nums; paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
        figure { margin: .8rem 0 1.2rem; }
        figure img { display: block; max-width: 100%; image-rendering: pixelated; border-radius: 4px; }
        figcaption { font-size: .88rem; margin-bottom: .3rem; }
        details { margin: .8rem 0; }
        summary { cursor: pointer; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; font-size: .86rem; }
        dt { color: var(--soft); }
        dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, "Cascadia Mono", Menlo, monospace; }
        @media print { details { display: none; } body { max-width: none; } }
        """;
}
