/** Events in words. */
import type { Mark } from '../../lib/events';
import { keyOr, t } from '../../lib/prefs.svelte';
import { visible } from '../../lib/text';
import { dateTimeOf } from '../../lib/time';
import type { Drawn } from './load';

export function markTime(mark: Mark, { zone }: Drawn): string {
  const at = dateTimeOf(mark.at, zone);
  if (mark.kind === 'incident') return at;
  return `${at} – ${mark.to === null ? t('events.lasting') : dateTimeOf(mark.to, zone)}`;
}

export function markText(mark: Mark, { stations }: Drawn): string {
  const key = keyOr(`incident.${mark.word}`, 'none');
  const what = mark.kind === 'silence' ? t('events.silence') : key === 'none' ? visible(mark.word) : t(key);
  const station = stations.length > 1 ? (stations.find((s) => s.id === mark.station)?.name ?? '') : '';
  const parts = [what, mark.stream ? t(`stream.${mark.stream}`) : '', station, mark.device];
  return [...parts, mark.note ? visible(mark.note) : ''].filter(Boolean).join(' · ');
}
