// All sweeps, the living first.

import { ask } from './api.js';
import { atMostEach, el, keyed, setText, show } from './dom.js';
import { fleetLine } from './fleet.js';
import { pager, problem, stateChip, stateOf, timeAgo, bar } from './pieces.js';
import * as words from './words.js';

const PAGE = 50;

/** A filter reads the whole index, so many at a time. */
const AT_ONCE = 200;

export function sweepsPage() {
    let from = 0,
        newest = null,
        everything = null;
    const heading = el('p', { class: 'lead' });
    const fleet = fleetLine();
    const filter = el('input', {
        id: 'filter',
        type: 'search',
        placeholder: 'Part of a name',
        autocomplete: 'off',
        spellcheck: 'false',
        oninput: filterChanged,
    });
    const rows = el('tbody', { role: 'rowgroup' });
    const fill = keyed(rows, sweepRow);
    const table = el(
        'table',
        { class: 'sweeps stack', role: 'table', 'aria-label': 'Sweeps', hidden: true },
        el(
            'thead',
            { role: 'rowgroup' },
            el(
                'tr',
                { role: 'row' },
                ['Sweep', 'Progress', 'Rate', 'Left', 'Failed', 'Recovered'].map((title, at) =>
                    el('th', { role: 'columnheader', scope: 'col', class: at > 1 ? 'number' : null }, title),
                ),
            ),
        ),
        rows,
    );
    const empty = el('div', { class: 'card empty', hidden: true });
    const trouble = problem();
    const pages = pager(PAGE, start => {
        from = start;
        load();
    });
    const load = atMostEach(1_500, async () => {
        try {
            if (filter.value.trim() !== '') await loadAll();
            else if (from > 0) draw(await ask(`api/sweeps?from=${from}&count=${PAGE}`));
            else draw(newest ?? (await ask(`api/sweeps?from=0&count=${PAGE}`)));
            trouble.clear();
        } catch (error) {
            trouble.say(error);
        }
    });

    function filterChanged() {
        from = 0;
        everything = null;
        load();
    }

    async function loadAll() {
        const wanted = filter.value.trim().toLowerCase();
        if (everything === null) {
            const found = [];
            for (let start = 0, total = 1; start < total; start += AT_ONCE) {
                const answer = await ask(`api/sweeps?from=${start}&count=${AT_ONCE}`);
                total = answer.total;
                found.push(...answer.entries);
            }
            everything = found;
        }
        const known = new Map((newest?.entries ?? []).map(entry => [entry.id, entry]));
        const matches = everything
            .filter(s => s.name.toLowerCase().includes(wanted) || s.id.startsWith(wanted))
            .map(s => known.get(s.id) ?? s);
        draw({
            total: matches.length,
            live: newest?.live ?? 0,
            from,
            entries: matches.slice(from, from + PAGE),
            filtered: true,
        });
    }

    function draw(answer) {
        fill(answer.entries, entry => entry.id);
        show(table, answer.entries.length > 0);
        show(empty, answer.entries.length === 0);
        if (answer.entries.length === 0) {
            setText(
                empty,
                answer.filtered
                    ? 'No sweep has that in its name.'
                    : 'No sweeps yet. Submit one: taba run sweep.yaml --cluster NAME --detach',
            );
        }
        pages.update(answer.total, answer.from);
    }

    function told(answer) {
        newest = answer;
        const { live, total } = answer;
        setText(heading, total === 0 ? '' : `${livesOf(live)}, ${words.count(total - live)} ended.`);
        load();
    }

    return {
        section: 'sweeps',
        title: 'Sweeps',
        stream: 'api/events',
        on: { sweeps: told, silos: fleet.update },
        close: () => load.close(),
        node: el(
            'div',
            null,
            el(
                'div',
                { class: 'headline' },
                el('div', null, el('h1', null, 'Sweeps'), heading),
                el('div', { class: 'find' }, el('label', { for: 'filter' }, 'Filter'), filter),
            ),
            fleet.node,
            trouble.node,
            table,
            empty,
            pages.node,
        ),
    };
}

const livesOf = live => (live === 0 ? 'None is live' : live === 1 ? 'One is live' : `${words.count(live)} are live`);

function sweepRow() {
    const name = el('a', { class: 'name' });
    const chip = stateChip();
    const facts = el('span', { class: 'soft' });
    const when = timeAgo();
    const progress = bar();
    const percent = el('span', { class: 'percent' });
    const cells = ['Rate', 'Left', 'Failed', 'Recovered'].map(title =>
        el('td', { role: 'cell', class: 'number', 'data-title': title }),
    );
    const node = el(
        'tr',
        { role: 'row' },
        el(
            'td',
            { role: 'cell', class: 'what' },
            el('div', null, name),
            el('div', { class: 'under' }, chip.node, facts, when.node),
        ),
        el('td', { role: 'cell', class: 'how-far' }, progress.node, percent),
        cells,
    );
    return {
        node,
        update(s) {
            setText(name, s.name);
            name.href = `#/sweep/${encodeURIComponent(s.id)}`;
            const live = words.isLive(s.state);
            node.className = `${live ? 'live' : 'ended'} is-${stateOf(s.state)}`;
            chip.update(s.state);
            setText(
                facts,
                [s.id.slice(0, 12), s.user, s.priority ? `priority ${s.priority}` : null].filter(Boolean).join(' · '),
            );
            when.update(live ? s.submittedAt : (s.endedAt ?? s.submittedAt), live ? 'submitted' : 'ended');
            progress.update(s.evaluationsDone, s.evaluationsPlanned, s.state, s.name);
            setText(
                percent,
                s.evaluationsPlanned > 0 ? `${words.percent(s.evaluationsDone, s.evaluationsPlanned)} %` : '–',
            );
            const [rate, left, failed, recovered] = cells;
            setText(rate, s.state === 'running' ? (s.rate === null ? '–' : `${words.figure(s.rate)}/s`) : '');
            setText(left, s.state === 'running' ? (s.secondsLeft === null ? '–' : words.duration(s.secondsLeft)) : '');
            setText(failed, s.rowsFailed ? words.count(s.rowsFailed) : '');
            failed.classList.toggle('bad', s.rowsFailed > 0);
            setText(recovered, s.recovered ? words.count(s.recovered) : '');
        },
    };
}
