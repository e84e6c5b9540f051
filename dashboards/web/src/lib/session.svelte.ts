/** Who is logged in. What logs in is a cookie that no script sees; here is only what the server says of it. */
import { ApiError, get, onNobody, post, type Me } from './api';

class Session {
  me = $state.raw<Me | null>(null);
  /** Whether the server has said. */
  known = $state(false);

  constructor() {
    onNobody(() => (this.me = null));
  }

  /** Whether the account has a right; what the server says at each request is what counts. */
  may(right: string): boolean {
    return this.me?.rights.includes(right) ?? false;
  }

  async load(): Promise<void> {
    this.me = await get<Me>(['me']).catch((error: unknown) => {
      // Without an answer the page itself says so, and asks again.
      if (error instanceof ApiError && error.status === 401) return null;
      return this.me;
    });
    this.known = true;
  }

  async login(name: string, password: string, totp: string): Promise<void> {
    this.me = await post<Me>(['login'], { name, password, ...(totp ? { totp } : {}) });
  }

  /** Makes the first admin by the code that the server printed at its start. */
  async first(code: string, name: string, password: string): Promise<void> {
    this.me = await post<Me>(['login', 'first'], { code, name, password });
  }

  /** Sets the password of the account that an admin gave a code for. */
  async choose(code: string, password: string): Promise<void> {
    await post(['login', 'password'], { code, password });
  }

  async logout(): Promise<void> {
    await post(['logout'], {}).catch(() => null);
    this.me = null;
  }
}

export const session = new Session();
