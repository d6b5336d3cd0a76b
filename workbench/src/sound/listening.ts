// How this person listens; kept in this browser.

import { isBoolean, oneOf, setting } from '../ui/setting';

/** A transmission plays when one lands on it. Off until asked for: another person may be in the room. */
export const autoPlay = setting('autoplay', false, isBoolean);

/** What happens with transmissions marked as hard to bear. They never play by themselves. */
export const distressMode = setting<'ask' | 'quiet' | 'skip'>('distress', 'ask', oneOf('ask', 'quiet', 'skip'));
export const quietVolume = 0.25;
