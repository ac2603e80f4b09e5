using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Core.Internal;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Hosting;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Servers;
using Taba.Testing.Stores;

namespace Taba.Scale;

/// <summary>
/// What a stage of many published rows costs those who use it: a dependent part, a hand-out, a submission, an activation. The grains, their
/// state and the store are real, in a silo of this process whose worker takes nothing.
/// </summary>
/// <param name="place">An empty place.</param>
sealed class StoreBench(IObjectStore place, string placeName, int rows, TempFolder folder)
{
    const int Parts = 40;
    const int Rounds = 15;

    static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(10);

    public const string Heading =
        "| place | rows | cells | a dependent part's read, ms (calls of the place) | allocated by it, KiB | the whole stage's list, ms "
        + "| allocated by it, MiB | activation, ms | submission, ms | hand-out, ms |\n|---|---|---|---|---|---|---|---|---|---|";

    readonly ObservedObjects _place = new(place);
    readonly StageSpec _source = ScaleSweep.Plan(new(), rows, seed: 1).Stages[0].Spec;

    string Source => StageKey.Of(_source);

    /// <summary>A row for each number of rows, as they come.</summary>
    /// <param name="azurite">In a container of the emulator that the tests use, instead of a folder.</param>
    public static async IAsyncEnumerable<string> RowsAsync(int[] rows, bool azurite)
    {
        await using var server = azurite ? await AzuriteServer.StartAsync() : null;
        foreach (var wanted in rows)
        {
            var whole = (wanted + CellGrid.Rows - 1) / CellGrid.Rows * CellGrid.Rows;
            using var folder = new TempFolder();
            if (server is null)
            {
                yield return await new StoreBench(new FolderObjects(folder.At("store")), "folder", whole, folder).RunAsync();
                continue;
            }
            var container = BlobContainers.Open($"rows-{wanted}-{Guid.NewGuid():N}", server.ConnectionString, null);
            await container.CreateIfMissingAsync(CancellationToken.None);
            using var blobs = new BlobObjects(container, folder.At("scratch"));
            yield return await new StoreBench(blobs, "Azurite", whole, folder).RunAsync();
        }
    }

    async Task<string> RunAsync()
    {
        var began = Stopwatch.GetTimestamp();
        await StoreFill.FillAsync(place, _source, rows, folder.Path, CancellationToken.None);
        await Console.Error.WriteLineAsync($"{placeName}: {rows} rows in {Stopwatch.GetElapsedTime(began).TotalSeconds:0} s");
        var part = await DependentPartAsync();
        var list = await StoreCost.OfAsync(_place, 2, async _ => await new TensorStore(_place).ListAsync(Source, CancellationToken.None));
        var (activation, submission, handOut) = await GrainsAsync();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {placeName} | {rows:N0} | {rows / CellGrid.Rows:N0} | {part.Text} | {part.Bytes / 1024:0} | {list.Milliseconds:0} "
            + $"| {list.Bytes / (1 << 20):0.0} | {activation.Text} | {submission.Text} | {handOut.Text} |");
    }

    /// <summary>Each time by a store that remembers nothing.</summary>
    Task<StoreCost> DependentPartAsync()
    {
        var buffer = new byte[CellGrid.Rows * sizeof(float)];
        var random = new Random(1);
        return StoreCost.OfAsync(_place, Parts, async _ =>
        {
            var part = CellGrid.RowsOf(random.Next(rows / CellGrid.Rows) * CellGrid.Rows);
            using var reader = await StageReader.OpenAsync(new TensorStore(_place), Source, part, CancellationToken.None);
            reader.ReadResult(part, buffer);
        });
    }

    async Task<(StoreCost Activation, StoreCost Submission, StoreCost HandOut)> GrainsAsync()
    {
        await using var silo = await EmbeddedSilo.StartAsync(
            new()
            {
                StoreRoot = folder.At("silo"),
                Devices = SiloDevices.Resolve("cpu"),
                Command = "taba-scale store",
                Services = services => services.Replace(ServiceDescriptor.Singleton<IObjectStore>(_place)),
            },
            CancellationToken.None);
        var inversion = _source with { Kind = StageKind.Invert, Input = new StageRows(Source) };
        var (source, dependent) = (Stage(Source), Stage(StageKey.Of(inversion)));

        // Its state is that of a stage whose every part was published.
        await Sweep(-1).SubmitAsync(Plan(-1));
        var all = RowSet.Of(new RowRange(0, rows));
        await source.CompleteAsync(new(Source, 0, 1, Guid.NewGuid()), all, CaptureSelection.None, []);
        await Sweep(-1).CancelAsync();

        var submission = await StoreCost.OfAsync(
            _place, Rounds, round => Sweep(round).SubmitAsync(Plan(round)), after: round => Sweep(round).CancelAsync());

        await Sweep(-1).SubmitAsync(Plan(-1));
        PartLease? lease = null;
        var handOut = await StoreCost.OfAsync(
            _place, Rounds,
            async _ => lease = (await dependent.LeaseAsync(silo.Address.ToParsableString(), new(CellGrid.Rows, null))).Single(),
            after: _ => dependent.CompleteAsync(lease!.Attempt, RowSet.Of(lease.Rows), lease.Keep, []));
        await Sweep(-1).CancelAsync();

        var management = silo.Grains.GetGrain<IManagementGrain>(0);
        var found = RowSet.Empty;
        var activation = await StoreCost.OfAsync(
            _place, Rounds, async _ => found = await source.GetPublishedAsync(CaptureSelection.None),
            prepare: async _ =>
            {
                await source.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
                // Nobody has it any more: the next call begins another activation.
                while ((await management.GetDetailedGrainStatistics()).Any(g => g.GrainId == source.GetGrainId()))
                    await Task.Delay(s_look);
            });
        return found.Count == rows
            ? (activation, submission, handOut)
            : throw new InvalidOperationException($"The stage came back with {found.Count} of {rows} rows.");

        IStageGrain Stage(string key) => silo.Grains.GetGrain<IStageGrain>(StageAddress.GrainKey(key));

        ISweepGrain Sweep(int number) => silo.Grains.GetGrain<ISweepGrain>($"store{number}");

        SweepPlan Plan(int number)
        {
            var every = new RowRange(0, rows);
            return new(
                $"store{number}", "store",
                [
                    new(Source, _source, every, CaptureSelection.None),
                    new(StageKey.Of(inversion), inversion, every, CaptureSelection.None),
                ],
                []);
        }
    }
}
