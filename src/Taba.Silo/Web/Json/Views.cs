using System.Text.Json.Serialization;

namespace Taba.Silo.Web.Json;

/// <summary>Why a request was not answered.</summary>
sealed record ErrorView(string Error);

/// <summary>Whether a silo is well.</summary>
sealed record HealthView(string Status, IReadOnlyList<string> Reasons);

/// <summary>Who asks, as the server sees it.</summary>
/// <param name="TokenNeeded">False on loopback where none is set.</param>
/// <param name="Cluster">Null of a command's own run.</param>
sealed record SessionView(bool TokenNeeded, bool SignedIn, string Version, string? Cluster);

/// <summary>The token, to be exchanged for a cookie.</summary>
sealed record TokenView(string? Token);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ErrorView))]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(SessionView))]
[JsonSerializable(typeof(TokenView))]
[JsonSerializable(typeof(Ending))]
[JsonSerializable(typeof(SweepsView))]
[JsonSerializable(typeof(SweepView))]
[JsonSerializable(typeof(PageView<StageView>))]
[JsonSerializable(typeof(PartsView))]
[JsonSerializable(typeof(PageView<RunView>))]
[JsonSerializable(typeof(FailuresView))]
[JsonSerializable(typeof(IReadOnlyList<EventView>))]
[JsonSerializable(typeof(PageView<SiloView>))]
[JsonSerializable(typeof(HistoryView))]
sealed partial class ViewJson : JsonSerializerContext;
