/** What a reading is called where something is done about it. */
import type { Deposit } from '../../lib/api';
import { t, weight } from '../../lib/prefs.svelte';
import { visible } from '../../lib/text';

/** `when` is when it was made, as the site writes it. */
export function readingName(reading: Deposit, when: string): string {
  const { by, device, stream, weight_g } = reading;
  const who = by === 'inspector' ? t('by.inspector') : t('days.camera', { id: visible(device) });
  return [when, t(`stream.${stream}`), weight(weight_g), who].join(' · ');
}
