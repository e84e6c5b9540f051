/**
 * What this page's parts call and a browser of 2019 does not have; the build writes new syntax in old words, but adds no
 * functions. A test looks for others. Must come before everything else.
 */
if (!('replaceAll' in String.prototype)) {
  Object.defineProperty(String.prototype, 'replaceAll', {
    configurable: true,
    writable: true,
    /** As far as it is called here: a text for a text. */
    value(this: string, what: string, by: string) {
      return this.split(what).join(by);
    },
  });
}
