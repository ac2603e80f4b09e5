using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Taba.Silo.Web.Json;

/// <summary>
/// A JSON answer as it is sent: made once for all who look at the same time. Its tag tells whether it says anything new.
/// </summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Json">UTF-8, in one line.</param>
sealed record Answer(int Status, byte[] Json) : IResult
{
    public const int TagDigits = 16;

    /// <summary>Equal tags, equal bytes.</summary>
    public string Tag { get; } = Convert.ToHexStringLower(SHA256.HashData(Json))[..TagDigits];

    public bool IsGood => Status == StatusCodes.Status200OK;

    public static Answer Of<T>(T view, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) =>
        new(status, JsonSerializer.SerializeToUtf8Bytes(view, type));

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (request, response) = (httpContext.Request, httpContext.Response);
        if (IsGood && HttpMethods.IsGet(request.Method))
        {
            var tag = new EntityTagHeaderValue($"\"{Tag}\"");
            response.GetTypedHeaders().ETag = tag;
            response.Headers.CacheControl = "no-cache";
            if (request.GetTypedHeaders().IfNoneMatch.Any(t => t.Compare(tag, useStrongComparison: false)))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
        }
        response.StatusCode = Status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = Json.Length;
        await response.Body.WriteAsync(Json, httpContext.RequestAborted);
    }
}
