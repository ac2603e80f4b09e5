using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Live;

/// <summary>One kind of event of a stream.</summary>
/// <param name="Name">The event's name.</param>
/// <param name="Look">What it says now; called again and again, so to be answered from what all viewers share.</param>
readonly record struct FeedPart(string Name, Func<Task<Answer>> Look);
