import { parseQuery, resolve, printTrino, warm } from '/work/main/core/sql.ts';
const cols = (...n: string[]) => n.map((name) => ({ name, type: 'varchar', granted: true }));
const rel: Record<string, any> = { t: { id: 's.t', printed: ['s','t'], columns: cols('a','b','c'), rowFilter: null }, u: { id: 's.u', printed: ['s','u'], columns: cols('a','x','y'), rowFilter: null } };
const ms = (f: () => unknown) => { const s = process.hrtime.bigint(); try { f(); } catch (e: any) { return `${(Number(process.hrtime.bigint() - s) / 1e6).toFixed(1)} ${e.code ?? e.name}: ${e.message.slice(0,70)}`; } return (Number(process.hrtime.bigint() - s) / 1e6).toFixed(1); };
console.log('warm', ms(warm), ms(warm));
const q = `SELECT t.a, count(*) n, sum(t.b*2) s, CASE WHEN u.x > 'a' THEN 1 ELSE 2 END k FROM t JOIN u ON t.a = u.a LEFT JOIN (SELECT a, max(y) m FROM u WHERE x IN ('1','2','3') GROUP BY a) d ON d.a = t.a WHERE t.b BETWEEN 1 AND 5 AND (t.c LIKE 'x%' OR t.c IS NULL) AND t.a NOT IN (SELECT x FROM u WHERE y = 'k') GROUP BY t.a, 4 HAVING count(*) > 3 ORDER BY s DESC, 1 LIMIT 10`;
const run = (x = q) => printTrino(resolve(parseQuery(x), (n) => rel[n.table]));
console.log('first', ms(run)); const all = Array.from({ length: 200 }, () => Number(ms(run))).sort((a, b) => a - b); console.log('median', all[100], 'max', all[199]);
const hostile: Record<string, string> = {
 'ands': 'select 1 from t where ' + Array(3000).fill('a = b').join(' and '),
 'ands5000': 'select 1 from t where ' + Array(5000).fill('a').join(' and '),
 'plus': 'select ' + Array(4900).fill('1').join(' + '),
 'in': `select 1 from t where a in (${Array(4500).fill("'x'").join(',')})`,
 'in100k': `select 1 from t where a in (${Array(100000).fill("1").join(',')})`,
 'parens60': 'select ' + '('.repeat(60) + '1' + ')'.repeat(60),
 'parens5000': 'select ' + '('.repeat(5000) + '1' + ')'.repeat(5000),
 'calls60': 'select ' + 'lower('.repeat(60) + 'a' + ')'.repeat(60) + ' from t',
 'nots60': 'select ' + 'not '.repeat(60) + 'true',
 'nots5000': 'select ' + 'not '.repeat(5000) + 'true',
 'joins100': 'select 1 from t ' + Array.from({length:100},(_, i) => `join t t${i} on t${i}.a = t.a`).join(' '),
 'joinsR100': 'select 1 from t ' + Array.from({length:100},(_, i) => `join t t${i}`).join(' ') + ' on true'.repeat(100),
 'joins10000': 'select 1 from t ' + Array.from({length:10000},(_, i) => `join t t${i} on t${i}.a = t.a`).join(' '),
 'unions1000': Array(1000).fill('select a from t').join(' union all '),
 'mb': 'select ' + 'a'.repeat(1_000_000), 'str250k': `select '${'x'.repeat(250_000)}'`, 'commas250k': 'select ' + ','.repeat(250_000),
 'explain': 'explain '.repeat(5000) + 'select 1', 'subq60': 'select ' + '(select '.repeat(60) + '1' + ')'.repeat(60),
 'case60': 'select ' + 'case when true then '.repeat(60) + '1' + ' end'.repeat(60), 'minus': 'select 1' + ' - -'.repeat(1) + '1', 'cols9000': 'select ' + Array(4500).fill('a').join(',') + ' from t',
 'derived60': 'select * from ' + '(select * from '.repeat(60) + 't' + ') x'.repeat(60), 'arraytype': 'select cast(a as ' + 'array<'.repeat(4000) + 'int' + '>'.repeat(4000) + ') from t',
};
for (const [k, v] of Object.entries(hostile)) console.log(k, ms(() => run(v)), '| again', ms(() => run(v)));
console.log('after', ms(run));
