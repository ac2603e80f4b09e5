// Silos and their devices: what each does, and why it idles; what is wrong stands first.

import { ask } from './api.js';
import { atMostEach, el, keyed, setAttribute, setText, show } from './dom.js';
import { devicesOf, doing, shareBar, summary, troublesOf } from './fleet.js';
import { historyChart } from './history.js';
import { pager, problem, troubleList } from './pieces.js';
import * as words from './words.js';

const PAGE = 40;

/** In a small fleet every device shows its ten minutes; in a large one whoever asks for them. */
const FEW = 6;

export function devicesPage() {
    let from = 0,
        newest = null;
    const lead = el('p', { class: 'lead' });
    const troubles = troubleList('Troubles');
    const trouble = problem();
    const fleet = historyChart(null, 190);
    const list = el('ul', { class: 'silos' });
    const fill = keyed(list, silo => siloCard(silo));
    const pages = pager(PAGE, start => {
        from = start;
        load();
    });
    const load = atMostEach(2_000, async () => {
        try {
            draw(from === 0 && newest ? newest : await ask(`api/silos?from=${from}&count=${PAGE}`));
            trouble.clear();
        } catch (error) {
            trouble.say(error);
        }
    });
    const room = el('dl', { class: 'facts' });

    function draw(page) {
        const open = devicesOf(page).length <= FEW;
        const rank = silo =>
            silo.troubles.length > 0 || silo.devices.some(d => !d.works) ? 0 : silo.devices.length > 0 ? 1 : 2;
        fill(
            [...page.entries].sort((a, b) => rank(a) - rank(b)).map(silo => ({ silo, open })),
            item => item.silo.name,
        );
        pages.update(page.total, page.from);
    }

    function told(page) {
        newest = page;
        setText(lead, `${summary(page)}.`);
        troubles.update(troublesOf(page));
        drawRoom(page);
        fleet.told();
        if (from === 0) draw(page);
        else load();
    }

    function drawRoom(page) {
        const least = pick =>
            page.entries.filter(s => pick(s) !== null && pick(s) !== undefined).sort((a, b) => pick(a) - pick(b))[0];
        const store = least(s => s.storeFreeBytes),
            scratch = least(s => s.scratchFreeBytes);
        const held = page.entries.reduce((sum, s) => sum + s.partsHeld, 0);
        const queue = page.entries.reduce((sum, s) => sum + (s.checkpointQueueBytes ?? 0), 0);
        room.replaceChildren(
            ...[
                ['store, free', store ? words.bytes(store.storeFreeBytes) : 'unknown'],
                [
                    'scratch, least free',
                    scratch ? `${words.bytes(scratch.scratchFreeBytes)} on ${scratch.name}` : 'unknown',
                ],
                ['parts held', words.count(held)],
                ['checkpoints waiting', queue ? words.bytes(queue) : 'none'],
            ].map(([title, text]) => el('div', null, el('dt', null, title), el('dd', null, text))),
        );
    }

    return {
        section: 'devices',
        title: 'Devices',
        stream: 'api/events',
        on: { silos: told },
        node: el(
            'div',
            null,
            el('div', { class: 'headline' }, el('div', null, el('h1', null, 'Devices'), lead)),
            troubles.node,
            el(
                'section',
                { class: 'card', 'aria-labelledby': 'fleet-title' },
                el('h2', { id: 'fleet-title' }, 'All together'),
                fleet.node,
                room,
            ),
            trouble.node,
            list,
            pages.node,
        ),
        close() {
            load.close();
            fleet.close();
            fill([], () => '');
        },
    };
}

function siloCard() {
    const name = el('h2');
    const facts = el('p', { class: 'soft' });
    const troubles = el('ul', { class: 'hosts' });
    const devices = el('ul', { class: 'devices' });
    const fill = keyed(devices, () => deviceRow());
    const node = el('li', { class: 'card silo' }, el('div', { class: 'silo-head' }, name, facts), troubles, devices);
    let drawn = '';
    return {
        node,
        close: () => fill([], () => ''),
        update({ silo, open }) {
            setText(name, silo.name);
            setText(
                facts,
                [
                    silo.role === 'worker' ? null : silo.role,
                    silo.host === silo.name ? null : `host ${silo.host}`,
                    `up ${words.duration(silo.secondsUp)}`,
                    silo.partsHeld ? `${words.things(silo.partsHeld, 'part')} held` : null,
                    silo.scratchFreeBytes === null ? null : `scratch ${words.bytes(silo.scratchFreeBytes)} free`,
                    silo.checkpointQueueBytes ? `${words.bytes(silo.checkpointQueueBytes)} of checkpoints wait` : null,
                    silo.draining ? 'drains' : null,
                ]
                    .filter(Boolean)
                    .join(' · '),
            );
            setAttribute(
                facts,
                'title',
                `${silo.address}, ${silo.build}, numerics ${silo.numerics}; reported ${words.duration(silo.reportAge)} ago`,
            );
            const now = JSON.stringify(silo.troubles);
            if (now !== drawn)
                troubles.replaceChildren(...silo.troubles.map(text => el('li', null, words.sentence(text))));
            drawn = now;
            show(troubles, silo.troubles.length > 0);
            node.classList.toggle('warn', silo.troubles.length > 0 || silo.devices.some(d => !d.works));
            fill(
                silo.devices.map(device => ({ silo, device, open })),
                item => item.device.name,
            );
        },
    };
}

function deviceRow() {
    const name = el('h3'),
        state = el('span', { class: 'doing' }),
        why = el('p', { class: 'why' }),
        facts = el('p', { class: 'soft' });
    const share = shareBar();
    const place = el('div');
    const more = el('details', { ontoggle: toggled }, el('summary', null, 'Ten minutes'), place);
    const node = el(
        'li',
        { class: 'device' },
        el('div', null, el('div', { class: 'device-head' }, name, state), why, facts),
        el('div', null, share.node, more),
    );
    let chart = null,
        path = '',
        opened = false;

    function toggled() {
        if (more.open && chart === null) {
            chart = historyChart(path, 110);
            place.replaceChildren(chart.node);
        } else if (!more.open) {
            chart?.close();
            chart = null;
            place.replaceChildren();
        }
    }

    return {
        node,
        close: () => chart?.close(),
        update({ silo, device, open }) {
            path = `${silo.name}/${device.name}`;
            if (open && !opened) more.open = true;
            opened = true;
            setText(name, device.name);
            setText(state, doing(device));
            node.dataset.state = device.works ? device.state : 'broken';
            share.update(device.share);
            setText(why, device.idleReason ? words.sentence(device.idleReason) : '');
            show(why, Boolean(device.idleReason));
            setText(
                facts,
                [
                    device.models.length ? device.models.join(', ') : null,
                    device.evaluationsPerSecond ? words.rate(device.evaluationsPerSecond) : null,
                    device.fill === null || device.fill === undefined
                        ? null
                        : `batches ${Math.round(100 * device.fill)} % full`,
                    device.slots ? `${words.count(device.slotsInUse)} of ${words.things(device.slots, 'slot')}` : null,
                    device.memoryUsed === null || device.memoryUsed === undefined
                        ? null
                        : `memory ${words.bytes(device.memoryUsed)}${device.memoryLimit ? ` of ${words.bytes(device.memoryLimit)}` : ''}`,
                ]
                    .filter(Boolean)
                    .join(' · '),
            );
            chart?.told();
        },
    };
}
