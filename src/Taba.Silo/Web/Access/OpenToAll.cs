namespace Taba.Silo.Web.Access;

/// <summary>Marks an endpoint that asks for no token: the page itself, and whether one is needed.</summary>
sealed class OpenToAll
{
    public static readonly OpenToAll Mark = new();
}
