using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Taba.Client.Embedded;
using Taba.Client.Hosts;
using Taba.Grains.Sweeps;
using Taba.Silo.Engines;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing.Client;
using Taba.Testing.Commands;

namespace Taba.Client.Tests;

/// <summary>What the command does when it is interrupted, or when what computes fails, on a system that a test drives.</summary>
public sealed class InterruptTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Fact]
    public async Task Signal_WhileComputing_DrainsAndSaysHowToGoOn()
    {
        using var interrupted = new CancellationTokenSource();
        var host = new ScriptedHost { OnWatch = () => interrupted.Cancel() };

        var ended = (await RunAsync(host, interrupted.Token)).ShouldEnd(ExitStatus.Interrupted);

        Assert.True(host.Drained);
        Assert.True(host.Disposed);
        Assert.Contains("to go on: taba run", ended.Errors, StringComparison.Ordinal);
        Assert.Equal("", ended.Output);
    }

    [Fact]
    public async Task Fault_WhileComputing_EndsWithThreeAndTheCause()
    {
        var host = new ScriptedHost();
        host.OnWatch = () => host.Fault.SetResult("the disk of /x is full");

        var ended = (await RunAsync(host, CancellationToken.None)).ShouldEnd(ExitStatus.Failed);

        Assert.Contains("the disk of /x is full.", ended.Errors, StringComparison.Ordinal);
        Assert.Contains("to go on:", ended.Errors, StringComparison.Ordinal);
        Assert.True(host.Disposed);
    }

    [Fact]
    public async Task Store_HeldByAnotherAndNoWait_EndsWithThree()
    {
        var host = new ScriptedHost { Busy = int.MaxValue };
        var ended = (await RunAsync(host, CancellationToken.None, "--no_wait")).ShouldEnd(ExitStatus.Failed);
        Assert.Equal("the store is in use by process 7.\n", ended.Errors);
    }

    [Fact]
    public async Task Store_HeldByAnotherForAWhile_IsWaitedFor()
    {
        var host = new ScriptedHost { Busy = 2 };
        host.OnWatch = () => host.Fault.SetResult("the disk of /x is full");
        var ended = (await RunAsync(host, CancellationToken.None)).ShouldEnd(ExitStatus.Failed);
        Assert.Single(Regex.Matches(ended.Errors, "Waiting, because the store is in use by process 7\\."));
        Assert.Contains("the disk of /x is full", ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_InterruptedWithJson_EndsWithALineOfJson()
    {
        using var interrupt = new CancellationTokenSource();
        var host = new ScriptedHost { OnWatch = interrupt.Cancel };
        var ended = (await RunAsync(host, interrupt.Token, "--json")).ShouldEnd(ExitStatus.Interrupted);
        var last = System.Text.Json.JsonDocument.Parse(ended.LastWord).RootElement;
        Assert.Equal(("interrupted", 130), (last.GetProperty("event").GetString(), last.GetProperty("exit_status").GetInt32()));
        Assert.Contains("to go on: taba run", last.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Store_HeldByAnother_TheWaitingCanBeInterrupted()
    {
        using var interrupt = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        (await RunAsync(new ScriptedHost { Busy = int.MaxValue }, interrupt.Token)).ShouldEnd(ExitStatus.Interrupted);
    }

    Task<CommandResult> RunAsync(IRunHost host, CancellationToken interrupted, params string[] flags)
    {
        var sweep = _taba.Write("s.yaml", $"model: {_taba.GaussianModel()}\nsamples: 4\nnum_inference_steps: 10");
        return InProcess.RunAsync(["run", sweep, "--out", _taba.At("out"), .. flags], host, new StringWriter(), interrupted);
    }

    /// <summary>Plans truly, computes nothing.</summary>
    sealed class ScriptedHost : IRunHost, IRunSession
    {
        readonly EmbeddedRun _planner = new();

        public Action? OnWatch { get; set; }

        /// <summary>How often it is found in use.</summary>
        public int Busy { get; set; }

        public bool Drained { get; private set; }

        public string OnInterrupt => "Interrupted: what runs ends.";

        public bool Disposed { get; private set; }

        public TaskCompletionSource<string> Fault { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        Task<string> IRunSession.Fault => Fault.Task;

        public Uri? Dashboard => null;

        public TensorStore Store => throw new InvalidOperationException("nothing was computed");

        public string DeviceKind => "cpu";

        public SweepPlan Plan(SweepSpec spec, string storeRoot, bool remember) => _planner.Plan(spec, storeRoot, remember);

        public MeasuredSpeed? SpeedOf(StageSpec stage, SweepSpec spec, string storeRoot) => null;

        public Task<IReadOnlyDictionary<string, RowSet>> StoredRowsAsync(
            SweepPlan plan, string storeRoot, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyDictionary<string, RowSet>>(new Dictionary<string, RowSet>());

        public Task<IRunSession> StartAsync(RunJob job, CancellationToken cancellationToken) =>
            Busy-- > 0
                ? throw new RunFailedException("the store is in use by process 7") { Begun = false, IsBusy = true }
                : Task.FromResult<IRunSession>(this);

        public Task LookAgainAsync(string sweepId, string stageKey, RowRange rows) => throw new NotSupportedException();

        public Task TellMetricsAsync(string sweepId, RunNumbers numbers) => Task.CompletedTask;

        public Task<SweepStatus> SubmitAsync(SweepPlan plan) =>
            Task.FromResult(new SweepStatus(plan.SweepId, 1, SweepState.Running, [], null));

        public async IAsyncEnumerable<SweepStatus> WatchAsync(
            string sweepId, long sinceVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            OnWatch?.Invoke();
            yield return new SweepStatus(sweepId, sinceVersion + 1, SweepState.Running, [], null);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        public Task ForgetAsync(SweepPlan plan, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task DrainAsync(TimeSpan patience)
        {
            Drained = true;
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            Disposed = true;
            return ValueTask.CompletedTask;
        }
    }
}
