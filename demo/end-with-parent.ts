// Preloaded into every child: when the demo is gone, even by SIGKILL, its children end too and free their ports.
process.channel?.unref();
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
