// What devices do, in words and colours that all pages share.

import { el, setAttribute, setText, show } from './dom.js';
import * as words from './words.js';

/** From the state that earns to the one that does not; the keys are the server's. */
export const DEVICE_STATES = ['network', 'overhead', 'output_wait', 'linger', 'loading', 'idle'];

export const DOING = {
    network: 'computes',
    overhead: 'between passes',
    output_wait: 'waits for the disk',
    linger: 'waits for a fuller batch',
    loading: 'loads a model',
    idle: 'idle',
};

/** A state that "waits for the disk" may make of a device that computes most of the time: what it mostly does is what is said. */
export const doing = device => (device.works ? (DOING[device.state] ?? device.state) : 'does not work');

export const devicesOf = page => page.entries.flatMap(silo => silo.devices.map(device => ({ silo, device })));

export function summary(page) {
    const all = devicesOf(page);
    const counts = new Map();
    for (const { device } of all) counts.set(doing(device), (counts.get(doing(device)) ?? 0) + 1);
    const order = ['does not work', ...DEVICE_STATES.map(state => DOING[state])];
    const parts = [...counts]
        .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
        .map(([what, n]) => `${words.count(n)} ${what.replace('computes', n === 1 ? 'computes' : 'compute')}`);
    const speed = all.reduce((sum, { device }) => sum + (device.evaluationsPerSecond ?? 0), 0);
    const shown =
        page.entries.length < page.total
            ? ` (of the first ${words.count(page.entries.length)} of ${words.count(page.total)})`
            : '';
    if (all.length === 0) return 'No device: nothing can be computed.';
    const where = `${words.things(all.length, 'device')} on ${words.things(page.entries.length, 'silo')}${shown}`;
    return `${where}: ${parts.join(', ')}; ${words.figure(speed)} evaluations/s`;
}

export const troublesOf = page =>
    page.entries.flatMap(silo => [
        ...silo.troubles.map(text => `${silo.name}: ${text}`),
        ...silo.devices
            .filter(device => !device.works)
            .map(device => `${silo.name}, ${device.name}: ${device.idleReason ?? 'does not work'}`),
    ]);

/** The devices in one line, for the page of sweeps. */
export function fleetLine() {
    const text = el('span');
    const troubles = el('strong', { class: 'bad' });
    const node = el('a', { class: 'fleet-line', href: '#/devices', hidden: true }, text, troubles);
    return {
        node,
        update(page) {
            setText(text, summary(page));
            const n = troublesOf(page).length;
            setText(troubles, n ? words.things(n, 'trouble') : '');
            show(node, true);
        },
    };
}

/** Time by state as one bar; the words beside it say the same. */
export function shareBar() {
    const pieces = DEVICE_STATES.map(state => el('i', { class: `time ${state}` }));
    const node = el('span', { class: 'share', role: 'img' }, pieces);
    return {
        node,
        update(share) {
            const said = [];
            DEVICE_STATES.forEach((state, at) => {
                const part = share?.[state] ?? 0;
                pieces[at].style.flexGrow = part;
                show(pieces[at], part > 0);
                if (part >= 0.005) said.push(`${DOING[state]} ${Math.round(100 * part)} %`);
            });
            const text = `The last ten seconds: ${said.join(', ') || 'nothing is known'}`;
            setAttribute(node, 'aria-label', text);
            setAttribute(node, 'title', text);
        },
    };
}
