using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Taba.Grains.Silos;
using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Silos;

/// <summary>The silos of the cluster as JSON.</summary>
static class SiloPages
{
    public static void MapSilos(this IEndpointRouteBuilder endpoints) => endpoints.MapGet(
        "/api/silos", (IGrainFactory grains, TimeProvider time) => Answers.AskAsync(async () =>
        {
            var silos = await grains.GetGrain<ISilosGrain>(0).GetAsync();
            IReadOnlyList<SiloView> views = [.. silos.Select(s => new SiloView(
                s.Name, s.Worker, s.Role.ToString().ToLowerInvariant(), s.DeviceKind, s.DeviceMemory, s.BatchSize, s.Devices,
                s.Version?.Build, s.Version?.Numerics))];
            return Answer.Of(new(views.Count, 0, views), ViewJson.Default.PageViewSiloView);
        }, time));
}
