// Run as a process by a test: fills a hub's database to some size, then writes to it without a pause, always keeping two tables in agreement.
import Database from "better-sqlite3";

const [file = "", megabytes = "40"] = process.argv.slice(2);
const db = new Database(file, { timeout: 10_000 });
db.pragma("journal_mode = WAL");
db.pragma("synchronous = NORMAL");
db.exec(
  "create table if not exists ballast (id integer primary key, words text); create table if not exists tally (rows integer)",
);
const add = db.prepare("insert into ballast (words) values (?)");
const count = db.prepare("update tally set rows = rows + ?");
db.exec("insert into tally (rows) values (0)");

const write = db.transaction((rows: number) => {
  for (let row = 0; row < rows; row += 1) add.run("x".repeat(1_000));
  count.run(rows);
});

write(Number(megabytes) * 1_000);
process.stdout.write("filled\n");
(function again() {
  write(3);
  setImmediate(again);
})();
