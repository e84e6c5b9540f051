/** Who is logged in. What logs in is a cookie that no script sees; here is only what the server says of it. */
import { ApiError, get, onNobody, post, type Me } from './api';

const KEY = 'hemu.me';

/**
 * Who was logged in last on this machine, for when the server does not answer: what works without it works on, and whatever
 * is asked of the server is asked for the cookie anyway. Only of staff, and gone with the logout.
 */
function recall(): Me | null {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Pick<
      Me,
      'account' | 'role' | 'rights'
    > | null;
    return kept && { ...kept, households: [], has_second_factor: false, until: 0 };
  } catch {
    return null;
  }
}

function remember(me: Me | null): void {
  try {
    if (me === null || me.role === 'resident') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify({ account: me.account, role: me.role, rights: me.rights }));
  } catch {
    // Where nothing may be kept, a page that is loaded without a network asks to log in.
  }
}

class Session {
  me = $state.raw<Me | null>(null);
  /** Whether the server has said. */
  known = $state(false);
  /** The session ended while a page was open: it stays as it is until the same account is back. */
  lapsed = $state(false);
  /** Whether a page can ask for the password again without losing what it holds (`ui/LoginAgain`). */
  patient = false;
  #waiting: ((back: boolean) => void)[] = [];

  constructor() {
    onNobody(() => this.#nobody());
  }

  /** Whether the account has a right; what the server says at each request is what counts. */
  may(right: string): boolean {
    return this.me?.rights.includes(right) ?? false;
  }

  async load(): Promise<void> {
    this.me = await get<Me>(['me']).catch((error: unknown) => {
      // Without an answer the page itself says so, and asks again.
      if (error instanceof ApiError && error.status === 401) return null;
      return this.me ?? recall();
    });
    if (this.me) remember(this.me);
    this.known = true;
  }

  /** Whether it is still who was here: another window of the same browser may have changed it. */
  async check(): Promise<void> {
    if (this.me === null || this.lapsed) return;
    const me = await get<Me>(['me']).catch(() => null);
    if (me && this.me && me.account !== this.me.account) location.reload();
    else if (me) this.me = me;
  }

  async login(name: string, password: string, totp: string): Promise<void> {
    const before = this.me?.account ?? null;
    const me = await post<Me>(['login'], { name, password, ...(totp ? { totp } : {}) });
    // What is on the page is of whoever was here before, and is not shown to somebody else.
    if (this.lapsed && me?.account !== before) location.reload();
    else {
      this.me = me;
      remember(me);
      this.#settle(true);
    }
  }

  /** Makes the first admin by the code that the server printed at its start. */
  async first(code: string, name: string, password: string): Promise<void> {
    this.me = await post<Me>(['login', 'first'], { code, name, password });
  }

  /** Sets the password of the account that an admin gave a code for. */
  async choose(code: string, password: string): Promise<void> {
    await post(['login', 'password'], { code, password });
  }

  /**
   * Ends the login here or everywhere, and then lets go, after `forget`. Throws where the server did not end it: whoever
   * sits here next would still be let in.
   */
  async logout(where: 'here' | 'everywhere', forget: () => Promise<void>): Promise<void> {
    const path = where === 'here' ? ['logout'] : ['logout', 'everywhere'];
    await post(path, {}).catch((error: unknown) => {
      // It was over already.
      if (!(error instanceof ApiError && error.status === 401)) throw error;
    });
    await forget();
    this.leave();
  }

  /** Lets go of the page and what it holds. */
  leave(): void {
    remember(null);
    this.me = null;
    this.#settle(false);
  }

  #nobody(): Promise<boolean> {
    if (this.me === null || !this.patient) {
      this.me = null;
      return Promise.resolve(false);
    }
    this.lapsed = true;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #settle(back: boolean): void {
    this.lapsed = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell(back);
  }
}

export const session = new Session();
