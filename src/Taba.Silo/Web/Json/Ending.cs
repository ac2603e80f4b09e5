namespace Taba.Silo.Web.Json;

/// <summary>What pages that are open are told when their server ends.</summary>
/// <param name="Text">A sentence for whoever looks.</param>
/// <param name="Final">No other server will answer in its place.</param>
sealed record Ending(string Text, bool Final)
{
    /// <summary>Of a command.</summary>
    public static readonly Ending Command = new("The command has ended: this is what was seen last.", Final: true);

    /// <summary>Of a silo.</summary>
    public static readonly Ending Silo = new("This silo ends: the page asks for another one.", Final: false);
}
