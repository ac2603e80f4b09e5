using Microsoft.AspNetCore.Http;
using Taba.Grains.Silos;
using Taba.Grains.Words;
using Taba.Silo.Web.Json;
using Taba.Silo.Web.Live;

namespace Taba.Silo.Web.Silos;

/// <summary>What viewers see of silos and devices, read once for all who look within the same second.</summary>
sealed class SiloLooks(IGrainFactory grains, TimeProvider time)
{
    const int MostAnswers = 128;

    static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(1);
    static readonly string[] s_states = ["network", "overhead", "output_wait", "linger", "loading", "idle"];

    public static Answer NoDevice { get; } =
        Answers.Error(StatusCodes.Status404NotFound, "there is no such device: /api/silos names them, as SILO/NAME");

    readonly SharedReads<(int From, int Count, string? Device), Answer> _answers = new(s_fresh, MostAnswers, time);

    /// <summary>Some silos, by name.</summary>
    /// <param name="count">1 to <see cref="FleetView.MostSilos"/>.</param>
    public Task<Answer> ListAsync(int from, int count) => _answers.GetAsync((from, count, null), () => Answers.AskAsync(async () =>
    {
        var fleet = await Grain.GetAsync(new(from, count));
        return Answer.Of(new(fleet.Total, fleet.From, [.. fleet.Silos.Select(Silo)]), ViewJson.Default.PageViewSiloView);
    }, time));

    /// <summary>Ten minutes of a device; of all together when none is named.</summary>
    /// <param name="device">SILO/NAME.</param>
    public Task<Answer> HistoryAsync(string? device) => _answers.GetAsync((0, 0, device ?? ""), () => Answers.AskAsync(async () =>
    {
        var fleet = await Grain.GetAsync(new(0, 0) { Device = device });
        return (device is null ? fleet.All : fleet.Device) is { } history
            ? Answer.Of(History(history), ViewJson.Default.HistoryView)
            : NoDevice;
    }, time));

    IFleetGrain Grain => grains.GetGrain<IFleetGrain>(0);

    static SiloView Silo(SiloStanding standing)
    {
        var fare = standing.Fare;
        return new(
            fare.Silo.Name, fare.Silo.Worker, fare.Host, fare.Silo.Role.ToString().ToLowerInvariant(), fare.Silo.DeviceKind,
            fare.Silo.Version?.Build, fare.Silo.Version?.Numerics, Math.Round(fare.Uptime.TotalSeconds),
            Math.Round(standing.Age.TotalSeconds, 1), fare.Draining, fare.StoreFree, fare.ScratchFree, fare.CheckpointQueue,
            [.. SiloText.Troubles(standing)], fare.PartsHeld,
            [.. standing.Devices.Select(d => Device(d, fare.Devices.FirstOrDefault(f => f.Name == d.Name)))]);
    }

    static DeviceView Device(DeviceStanding standing, DeviceFare? fare) => new(
        standing.Name, fare?.Works ?? false, standing.Last.State,
        new(
            Share(standing.Last.Network), Share(standing.Last.Overhead), Share(standing.Last.OutputWait), Share(standing.Last.Linger),
            Share(standing.Last.Loading), Share(standing.Last.Idle)),
        [.. fare?.Models.Select(m => m.Name) ?? []], standing.Last.Fill is { } fill ? Share(fill) : null, fare?.Slots ?? 0,
        fare?.SlotsInUse ?? 0, fare?.MemoryUsed, fare?.MemoryLimit, Math.Round(standing.EvaluationsPerSecond, 1), standing.IdleReason);

    static HistoryView History(FareHistory history) => new(
        history.Step.TotalSeconds, history.From, s_states,
        [
            .. history.Points.Select(p => (IReadOnlyList<double?>)
            [
                Share(p.Network), Share(p.Overhead), Share(p.OutputWait), Share(p.Linger), Share(p.Loading), Share(p.Idle),
                p.Fill is { } fill ? Share(fill) : null,
            ]),
        ]);

    /// <summary>A share as it is shown: what is smaller than this is not seen, and would be another answer each time.</summary>
    static double Share(float share) => Math.Round(share, 3);
}
