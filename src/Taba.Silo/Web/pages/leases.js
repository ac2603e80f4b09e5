// What is out: which rows, with whom, since when, how far.

import { ask } from './api.js';
import { atMostEach, el, keyed, setText, show } from './dom.js';
import * as words from './words.js';

/** Stages that are asked at a look, and leases that are shown: enough to see where work is. */
const STAGES = 6,
    SHOWN = 40,
    EACH = 3_000;

const TITLES = ['Rows', 'Stage', 'Host', 'Out for', 'Last step', 'Progress'];
const KINDS = [null, null, null, 'number', 'number', 'number'];

export function leaseTable(sweep) {
    let stages = [];
    const rows = el('tbody');
    const fill = keyed(rows, leaseRow);
    const more = el('p', { class: 'soft' });
    const table = el(
        'div',
        { class: 'scroll' },
        el(
            'table',
            { class: 'leases stack' },
            el(
                'thead',
                null,
                el(
                    'tr',
                    null,
                    TITLES.map((title, at) => el('th', { scope: 'col', class: KINDS[at] }, title)),
                ),
            ),
            rows,
        ),
    );
    const node = el(
        'section',
        { 'aria-labelledby': 'leases-title', hidden: true },
        el('h2', { id: 'leases-title', tabindex: -1 }, 'Out now'),
        table,
        more,
    );

    const load = atMostEach(EACH, async () => {
        const asked = stages.filter(s => s.partsLeased > 0).slice(0, STAGES);
        const answers = await Promise.all(
            asked.map(stage =>
                ask(
                    `api/stages/${encodeURIComponent(stage.key)}/parts?sweep=${encodeURIComponent(sweep)}&bins=1&from=0&count=${SHOWN}`,
                ).then(
                    parts => ({ stage, parts }),
                    () => null,
                ),
            ),
        );
        const known = answers.filter(Boolean);
        const all = known.flatMap(({ stage, parts }) =>
            parts.leases.map(lease => ({ ...lease, stage: stage.name, key: stage.key })),
        );
        const total = known.reduce((sum, { parts }) => sum + parts.leasesTotal, 0);
        fill(all.slice(0, SHOWN), lease => `${lease.key} ${lease.rows} ${lease.worker}`);
        show(node, total > 0);
        setText(more, total > SHOWN ? `And ${words.count(total - SHOWN)} more: the strips say where they are.` : '');
    });

    return {
        node,
        told(page) {
            stages = page.entries;
            load();
        },
        close: () => load.close(),
    };
}

function leaseRow() {
    const [range, stage, host, out, step, far] = TITLES.map((title, at) =>
        el('td', { class: KINDS[at], 'data-title': title }),
    );
    return {
        node: el('tr', null, range, stage, host, out, step, far),
        update(lease) {
            setText(range, words.range(lease.rows));
            setText(stage, lease.stage);
            setText(host, `${lease.host}${lease.alone ? ', alone: its rows are suspect' : ''}`);
            host.title = lease.worker;
            setText(out, words.duration(lease.secondsOut));
            setText(step, `${words.duration(lease.secondsSinceProgress)} ago`);
            setText(far, `${words.percent(lease.evaluationsDone, lease.evaluationsPlanned)} %`);
        },
    };
}
