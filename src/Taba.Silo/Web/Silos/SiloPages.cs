using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Taba.Grains.Silos;
using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Silos;

/// <summary>Addresses of silos and their devices.</summary>
static class SiloPages
{
    const int LongestDevice = 200;

    public static void MapSilos(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/api/silos", async (SiloLooks looks, int from = 0, int count = FleetView.MostSilos) =>
            Answers.CheckPage(from, count, FleetView.MostSilos) ?? await looks.ListAsync(from, count));
        endpoints.MapGet("/api/devices/history", async (SiloLooks looks, string? device) => device?.Length > LongestDevice
            ? SiloLooks.NoDevice
            : await looks.HistoryAsync(device));
    }
}
