// Numbers and times as people read them: the words of the command line.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });

export const count = value => whole.format(Math.round(value ?? 0));

export const things = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

export function bytes(value) {
    if (value === null || value === undefined) return 'unknown';
    let unit = 0;
    for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
    return unit === 0 ? `${Math.round(value)} B` : `${value.toFixed(1)} ${UNITS[unit]}`;
}

export function duration(seconds) {
    if (seconds === null || seconds === undefined) return 'unknown';
    if (seconds < 60) return `${Math.max(0, Math.ceil(seconds))} s`;
    const s = Math.floor(seconds);
    if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
    if (s < 48 * 3600) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
    return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

export const left = seconds =>
    seconds === null || seconds === undefined ? 'time left unknown' : `${duration(seconds)} left`;

export const rate = value =>
    value === null || value === undefined ? 'rate unknown' : `${figure(value)} evaluations/s`;

export const figure = value => (value >= 100 ? count(value) : value.toFixed(1));

/** Whole percent, and neither 0 nor 100 while it is not so. */
export function percent(part, all) {
    if (!(all > 0)) return 0;
    const share = (100 * part) / all;
    if (share > 0 && share < 1) return 1;
    return share < 100 && share > 99 ? 99 : Math.round(share);
}

/** How long ago, roughly: it stands beside a title that says exactly when. */
export function ago(iso) {
    const seconds = (Date.now() - new Date(iso)) / 1000;
    if (seconds < 45) return 'just now';
    if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
    if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h ago`;
    return `${Math.round(seconds / 86400)} d ago`;
}

export const exactly = iso => full.format(new Date(iso));

/** The time of day, with the day when it is not today. */
export function moment(iso) {
    const at = new Date(iso);
    return at.toDateString() === new Date().toDateString() ? clock.format(at) : `${day.format(at)} ${clock.format(at)}`;
}

export const timeOfDay = date => clock.format(date);

export const hourAndMinute = date => minute.format(date);

export const range = ([start, end]) => (end - start === 1 ? `${start}` : `${start}–${end - 1}`);

export const rows = ([start, end]) => `${end - start === 1 ? 'Row' : 'Rows'} ${range([start, end])}`;

/** A metric, to four figures. */
export function metric(value) {
    if (value === null || value === undefined) return '–';
    if (typeof value !== 'number') return String(value);
    if (value === 0) return '0';
    const size = Math.abs(value);
    return size >= 1e-3 && size < 1e5 ? Number(value.toPrecision(4)).toString() : value.toExponential(2);
}

export const capital = text => text && text.charAt(0).toUpperCase() + text.slice(1);

/** With a capital and a full stop, once. */
export const sentence = text => text && capital(text).replace(/\.?$/, '.');

export const isLive = state => state === 'running' || state === 'paused';
