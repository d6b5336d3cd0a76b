// A desk for tests: the real program serving a real case, and Debian's Chromium in front of it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const bin = resolve(process.env['EARWITNESS_BIN'] ?? '../bin');
const browserPath = process.env['EARWITNESS_CHROMIUM'] ?? '/usr/bin/chromium';

/** Why the browser tests cannot run here; '' where they can. Where nothing may skip, that is an error. */
export function missing(): string {
  const why = !existsSync(join(bin, 'earwitness'))
    ? `${bin} holds no programs: make build`
    : !existsSync(browserPath)
      ? `there is no ${browserPath}: apt-get install chromium`
      : '';
  if (why !== '' && process.env['EARWITNESS_NO_SKIP']) throw new Error(why);
  return why;
}

const scratch = mkdtempSync(join(tmpdir(), 'earwitness-browser-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const environment = {
  ...process.env,
  EARWITNESS_AS: 'Olia',
  EARWITNESS_SEEN: join(scratch, 'seen'),
  EARWITNESS_PICTURES: join(scratch, 'pictures'),
  EARWITNESS_ACCOUNTS: join(scratch, 'accounts'),
};

/** Runs the program to its end. */
export function earwitness(...args: string[]): string {
  return execFileSync(join(bin, 'earwitness'), args, { env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 });
}

/** The demo's case, made once for all tests of a run; each test works on a copy. */
export function demoCase(): string {
  const shared = process.env['EARWITNESS_DEMO_CASE'];
  if (shared && existsSync(join(shared, 'case.db'))) return shared;
  const dir = join(scratch, 'demo.case');
  if (!existsSync(dir)) earwitness('demo', '--no-serve', dir);
  return dir;
}

/** The real program, serving. */
export class Desk {
  private constructor(
    readonly dir: string,
    readonly link: string,
    private readonly program: ChildProcess,
  ) {}

  /** Serves a copy of a case, on any port that is free, or on the given one. */
  static async open(original: string, options: { port?: number; as?: string } = {}): Promise<Desk> {
    const dir = mkdtempSync(join(scratch, 'case-'));
    cpSync(original, dir, { recursive: true });
    // The log of a copied case goes on: what was signed is remembered by this run's own folder.
    return Desk.serve(dir, options);
  }

  /** Serves a case where it lies. */
  static async serve(dir: string, options: { port?: number; as?: string } = {}): Promise<Desk> {
    mkdirSync(join(scratch, 'seen'), { recursive: true });
    const program = spawn(join(bin, 'earwitness'), ['-C', dir, 'serve', '-p', String(options.port ?? 0)], {
      env: { ...environment, EARWITNESS_AS: options.as ?? 'Olia', EARWITNESS_SEEN: mkdtempSync(join(scratch, 'seen-')) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    program.stderr?.on('data', (b: Buffer) => (said += b.toString()));
    const link = await new Promise<string>((done, fail) => {
      let out = '';
      program.stdout?.on('data', (b: Buffer) => {
        out += b.toString();
        if (out.includes('\n')) done(out.split('\n')[0] ?? '');
      });
      program.on('exit', (code) => fail(new Error(`serve ended with ${code}: ${said}`)));
    });
    return new Desk(dir, link, program);
  }

  get url(): string {
    return this.link.replace(/\/open\/.*/, '');
  }

  /** Ends it as Ctrl-C does, or as a power cut does. */
  async close(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    if (this.program.exitCode !== null || this.program.signalCode !== null) return;
    this.program.removeAllListeners('exit');
    const ended = new Promise((done) => this.program.once('exit', done));
    this.program.kill(signal);
    await ended;
  }
}

let shared: Browser | undefined;

async function browser(): Promise<Browser> {
  shared ??= await chromium.launch({
    executablePath: browserPath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
  });
  return shared;
}

/** Closes the browser at the end of a file of tests. */
export async function closeBrowser(): Promise<void> {
  await shared?.close();
  shared = undefined;
}

/** What went wrong in a window: every test ends by finding none of it. */
export interface Trouble {
  /** errors and warnings of the console, uncaught errors, refusals of the content security policy, requests to other hosts */
  readonly all: string[];
}

/** A person's browser, entered by a link. */
export async function enter(desk: Desk, link = desk.link, options: BrowserContextOptions = {}): Promise<{ context: BrowserContext; page: Page; trouble: Trouble }> {
  const context = await (await browser()).newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const trouble: Trouble = { all: [] };
  const watch = (page: Page): void => {
    page.on('console', (m) => {
      // Refused requests are told of with what was asked, below.
      if ((m.type() === 'error' || m.type() === 'warning') && !m.text().startsWith('Failed to load resource')) trouble.all.push(`${m.type()}: ${m.text()}`);
    });
    page.on('pageerror', (e) => trouble.all.push(`uncaught: ${e.message}`));
    page.on('response', (r) => {
      if (r.status() >= 400) trouble.all.push(`${r.status()}: ${r.request().method()} ${r.url()} ${r.request().postData() ?? ''}`);
    });
    page.on('request', (r) => {
      if (!r.url().startsWith(desk.url) && !/^(blob|data):/.test(r.url())) trouble.all.push(`asks another host: ${r.url()}`);
    });
  };
  context.on('page', watch);
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
  });
  const page = await context.newPage();
  await page.goto(link);
  await page.waitForSelector('nav');
  return { context, page, trouble };
}

/** What the API says, asked with a window's session. */
export async function api<T>(page: Page, path: string): Promise<T> {
  const answer = await page.request.get(new URL(path, page.url()).toString());
  if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
  return (await answer.json()) as T;
}
