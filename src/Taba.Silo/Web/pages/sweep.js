// One sweep: how far, what is in its way, its stages, what is out, what came of it.

import { ask, change } from './api.js';
import { atMostEach, el, setText, show } from './dom.js';
import { failureList } from './failures.js';
import { leaseTable } from './leases.js';
import { sweepLog } from './log.js';
import { bar, confirm, problem, stateChip, timeAgo, troubleList } from './pieces.js';
import { results } from './results.js';
import { stageList } from './stages.js';
import * as words from './words.js';

/** Which verbs change anything in which state. */
const VERBS = [
    { verb: 'pause', word: 'Pause', may: s => s.state === 'running' },
    { verb: 'resume', word: 'Resume', may: s => s.state === 'paused' },
    {
        verb: 'retry',
        word: 'Retry',
        may: s => s.state !== 'completed' && (s.rowsFailed > 0 || !words.isLive(s.state) || s.troubles.length > 0),
    },
    { verb: 'cancel', word: 'Cancel', may: s => words.isLive(s.state) },
];

export function sweepPage(id) {
    let sweep = null,
        seen = '';
    const path = `api/sweeps/${encodeURIComponent(id)}`;
    const name = el('h1', null, 'Sweep');
    const chip = stateChip();
    const progress = bar();
    const percent = el('strong', { class: 'big' });
    const speed = el('span');
    const facts = el('dl', { class: 'facts' });
    const lines = el('p', { class: 'soft lead' });
    const submitted = timeAgo(),
        ended = timeAgo();
    const troubles = troubleList('Troubles');
    const trouble = problem();
    const buttons = new Map(
        VERBS.map(v => [
            v.verb,
            el('button', { type: 'button', disabled: true, class: v.verb, onclick: () => steer(v) }, v.word),
        ]),
    );
    const said = el('span', { class: 'soft said', role: 'status', 'aria-live': 'polite' });

    const stages = stageList(id),
        leases = leaseTable(id),
        failures = failureList(id),
        log = sweepLog(id),
        pictures = results(id);
    const parts = [
        ['Stages', stages],
        ['Out now', leases],
        ['Results', pictures],
        ['Given up', failures],
        ['Log', log],
    ];
    const links = new Map(
        parts.map(([title, part]) => [
            title,
            el(
                'button',
                {
                    type: 'button',
                    class: 'quiet',
                    onclick: () => {
                        part.node.scrollIntoView();
                        part.node.querySelector('h2').focus({ preventScroll: true });
                    },
                },
                title,
            ),
        ]),
    );
    const jump = el('nav', { class: 'jump', 'aria-label': 'Parts of this page' }, [...links.values()]);
    // Sections come and go with what there is to show.
    const sections = new MutationObserver(showLinks);
    parts.forEach(([, part]) => sections.observe(part.node, { attributeFilter: ['hidden'] }));
    showLinks();
    function showLinks() {
        for (const [title, part] of parts) show(links.get(title), !part.node.hidden);
    }

    const body = el(
        'div',
        { hidden: true },
        el(
            'section',
            { class: 'card headline-card', 'aria-label': 'Progress' },
            el('div', { class: 'how-far' }, percent, speed),
            progress.node,
            facts,
        ),
        troubles.node,
        jump,
        stages.node,
        leases.node,
        pictures.node,
        failures.node,
        log.node,
    );
    const page = {
        section: 'sweeps',
        title: 'Sweep',
        stream: `${path}/events`,
        on: { sweep: told, stages: stagesTold },
        node: el(
            'div',
            null,
            el('p', { class: 'crumb' }, el('a', { href: '#/' }, '← Sweeps')),
            el(
                'div',
                { class: 'headline' },
                el('div', null, name, el('p', { class: 'lead' }, chip.node, lines, submitted.node, ended.node)),
                el(
                    'div',
                    { class: 'verbs', role: 'group', 'aria-label': 'Steer this sweep' },
                    [...buttons.values()],
                    said,
                ),
            ),
            trouble.node,
            body,
        ),
        close: () => [stages, leases, failures, log, pictures, first].forEach(part => part.close()),
    };

    // What the stream would tell, for a sweep that is not there: the stream's own refusal has no words.
    const first = atMostEach(0, async () => {
        try {
            if (sweep === null) told(await ask(path));
        } catch (error) {
            if (error.status === 404) {
                trouble.say(error);
                show(body, false);
                page.onGone?.();
            }
        }
    });
    first();

    function told(now) {
        sweep = now;
        trouble.clear();
        setText(name, now.name);
        page.onTitle?.(
            now.state === 'running'
                ? `${words.percent(now.evaluationsDone, now.evaluationsPlanned)} % ${now.name}`
                : now.name,
        );
        chip.update(now.state);
        setText(
            lines,
            [now.id.slice(0, 12), now.user ? `by ${now.user}` : null, now.priority ? `priority ${now.priority}` : null]
                .filter(Boolean)
                .join(' · '),
        );
        submitted.update(now.submittedAt, 'submitted');
        ended.update(now.endedAt, now.endedAt ? '· ended' : '');
        progress.update(now.evaluationsDone, now.evaluationsPlanned, now.state, now.name);
        setText(
            percent,
            now.evaluationsPlanned > 0 ? `${words.percent(now.evaluationsDone, now.evaluationsPlanned)} %` : '–',
        );
        setText(
            speed,
            now.state === 'running'
                ? `${words.rate(now.rate)}, ${words.left(now.secondsLeft)}`
                : now.state === 'paused'
                  ? 'paused: parts that are out are finished, no others are begun'
                  : '',
        );
        drawFacts(now);
        troubles.update(
            [...now.troubles, ...(now.fault && !now.troubles.some(t => t.includes(now.fault)) ? [now.fault] : [])].map(
                words.sentence,
            ),
        );
        for (const { verb, may } of VERBS) buttons.get(verb).disabled = !may(now);
        show(body, true);

        pictures.told(now);
        failures.told(now.rowsFailed);
        const story = JSON.stringify([now.state, now.troubles, now.rowsFailed, now.recovered]);
        if (story !== seen) log.load();
        seen = story;
    }

    function stagesTold(page) {
        stages.told(page);
        leases.told(page);
    }

    function drawFacts(s) {
        const rows = [
            ['evaluations', `${words.count(s.evaluationsDone)} of ${words.count(s.evaluationsPlanned)}`],
            [
                'rows done',
                `${words.count(s.rowsDone)} of ${words.count(s.rowsWanted)}${s.rowsReused ? `, ${words.count(s.rowsReused)} reused` : ''}`,
            ],
            [
                'out now',
                s.partsLeased
                    ? `${words.things(s.rowsLeased, 'row')} in ${words.things(s.partsLeased, 'part')}`
                    : 'nothing',
            ],
            ['given up', s.rowsFailed ? words.things(s.rowsFailed, 'row') : 'none', s.rowsFailed > 0],
            ['recovered', s.recovered ? words.things(s.recovered, 'lost lease') : 'nothing was lost'],
        ];
        if (facts.children.length === 0)
            facts.append(...rows.map(([title]) => el('div', null, el('dt', null, title), el('dd'))));
        rows.forEach(([, text, bad], at) => {
            const value = facts.children[at].lastChild;
            setText(value, text);
            value.classList.toggle('bad', Boolean(bad));
        });
    }

    async function steer({ verb, word }) {
        if (
            verb === 'cancel' &&
            !(await confirm({
                title: `Cancel ${sweep.name}?`,
                text: 'What was published stays. Nothing more is handed out, and what is under way is dropped. Retry takes it up again.',
                yes: 'Cancel the sweep',
                no: 'Keep it',
            }))
        )
            return;
        for (const button of buttons.values()) button.disabled = true;
        setText(said, `${word}…`);
        try {
            told(await change(`${path}/${verb}`));
            setText(said, '');
            log.load();
        } catch (error) {
            setText(said, words.sentence(error.message));
            if (sweep) for (const { verb: other, may } of VERBS) buttons.get(other).disabled = !may(sweep);
        }
    }

    return page;
}
