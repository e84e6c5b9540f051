/** All texts of the inspectors' pages, a file for each area, both languages side by side. A new area is added to this list. */
import * as acts from './acts';
import * as common from './common';
import * as estate from './estate';
import * as household from './household';
import * as inspect from './inspect';
import * as people from './people';
import * as quality from './quality';
import * as shell from './shell';
import * as letters from './letters';
import * as lists from './lists';
import * as objections from './objections';
import * as quality from './quality';
import * as rules from './rules';
import * as station from './station';
import * as today from './today';

export const zh = {
  ...acts.zh,
  ...common.zh,
  ...estate.zh,
  ...household.zh,
  ...inspect.zh,
  ...people.zh,
  ...quality.zh,
  ...shell.zh,
  ...letters.zh,
  ...lists.zh,
  ...objections.zh,
  ...quality.zh,
  ...rules.zh,
  ...station.zh,
  ...today.zh,
};
export type Key = keyof typeof zh;

export const en: Record<Key, string> = {
  ...acts.en,
  ...common.en,
  ...estate.en,
  ...household.en,
  ...inspect.en,
  ...people.en,
  ...quality.en,
  ...shell.en,
  ...letters.en,
  ...lists.en,
  ...objections.en,
  ...quality.en,
  ...rules.en,
  ...station.en,
  ...today.en,
};
